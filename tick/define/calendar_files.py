"""Holidays from files: CSV (a date and a name a line) and ICS (the days of its events)."""

import csv
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

_MOST_BYTES = 5_000_000
_MOST_DAYS_OF_EVENT = 366


def read_holidays(path: Path) -> dict[date, str]:
    """Return the names of a file's holidays by day. Raises ValueError, OSError."""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _READERS:
        raise ValueError("its name must end with .csv or .ics")
    return holidays_in(path.read_text(encoding="utf-8-sig"), kind)


def holidays_in(text: str, kind: str) -> dict[date, str]:
    """Return the names of the holidays in a text, "csv" or "ics", by day. Raises ValueError."""
    try:
        return dict(_READERS[kind](text.removeprefix("\ufeff")))
    except csv.Error as error:
        raise ValueError(f"it is no CSV: {error}") from None


def _in_csv(text: str) -> Iterator[tuple[date, str]]:
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        try:
            day = date.fromisoformat(cells[0])
        except ValueError:
            if number == 1:
                continue  # the heads of its columns
            raise ValueError(
                f"line {number} begins with {cells[0]!r}, no date: 2026-05-01"
            ) from None
        yield day, cells[1] if len(cells) > 1 and cells[1] else "holiday"


def _in_ics(text: str) -> Iterator[tuple[date, str]]:
    event: dict[str, str] | None = None
    # A long line goes on in the next one, which begins with a blank.
    for line in text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "").split("\n"):
        name, _, value = line.partition(":")
        key = name.partition(";")[0].upper()
        if (key, value) == ("BEGIN", "VEVENT"):
            event = {}
        elif (key, value) == ("END", "VEVENT") and event is not None:
            yield from _days_of(event)
            event = None
        elif event is not None:
            event[key] = value


def _days_of(event: dict[str, str]) -> Iterator[tuple[date, str]]:
    name = event.get("SUMMARY", "holiday").replace("\\,", ",").replace("\\;", ";")
    if "DTSTART" not in event:
        raise ValueError(f"its event {name!r} has no DTSTART")
    if "RRULE" in event:
        raise ValueError(f"its event {name!r} recurs (RRULE); list each year's day")
    first = _day(event["DTSTART"], name)
    # The end is the day after the last, as RFC 5545 has it for whole days.
    end = _day(event["DTEND"], name) if "DTEND" in event else first + timedelta(days=1)
    if (end - first).days > _MOST_DAYS_OF_EVENT:
        raise ValueError(f"its event {name!r} lasts longer than a year")
    for number in range(max((end - first).days, 1)):
        yield first + timedelta(days=number), name


def _day(value: str, name: str) -> date:
    try:
        return date.fromisoformat(f"{value[:4]}-{value[4:6]}-{value[6:8]}")
    except ValueError:
        raise ValueError(f"its event {name!r} is on {value[:20]!r}, no date: 20260501") from None


_READERS: dict[str, Callable[[str], Iterator[tuple[date, str]]]] = {"csv": _in_csv, "ics": _in_ics}
