"""Calendars that people make by hand: what may be written of one, and its days. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any

from tick.define.calendar_days import ExpandedCalendars, expand
from tick.define.calendar_files import holidays_in
from tick.define.calendars import Calendar

_IN_CODE_ONLY = frozenset({"name", "file", "source", "folder"})
OPTIONS = tuple(each.name for each in fields(Calendar) if each.name not in _IN_CODE_ONLY)
"""What can be said of a calendar by hand: it names no file, for what is in one is kept itself."""
MOST_DATES = 1000
MOST_FILE = 50_000  # characters; a request is not much longer
_MOST_NAME = 100
_SOURCE = "by hand"
_CIRCLE = "combines itself, by way of others; name other calendars."


def with_calendars_by_hand(
    code: ExpandedCalendars, written: Mapping[str, Mapping[str, Any]]
) -> ExpandedCalendars:
    """Return the calendars of the definitions and those by hand; one that is wrong has no days."""
    found = replace(code, days=dict(code.days), made_from=dict(code.made_from), by_hand={})
    waiting = dict(written)
    while waiting:
        # One by one: a mistake in one must not take the others away.
        ready = (name for name in waiting if not waiting.keys() & {*_members(waiting[name])})
        name = next(ready, None)
        if name is None:
            found.by_hand |= dict.fromkeys(waiting, _CIRCLE)
            break
        options = waiting.pop(name)
        if name in code.days:
            continue  # a sync tells of it
        made = expand([calendar_of(name, options)], found)
        wrong = " ".join(text.partition(f"calendar {name!r}: ")[2] for text in made.mistakes)
        found.by_hand[name] = wrong or None
        if not wrong:
            found.days[name], found.made_from[name] = made.days[name], made.made_from[name]
    return found


def needed_by(
    names: Iterable[str], written: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Return what is written of these calendars, and of all that they combine."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name in written and name not in found:
            found[name] = written[name]
            waiting += _members(written[name])
    return found


def calendar_of(name: str, options: Mapping[str, Any]) -> Calendar:
    """Return the calendar that was written. Raises ValueError for what can't be said by hand."""
    if unknown := options.keys() - set(OPTIONS):
        raise ValueError(f"{min(unknown)} can't be given by hand; leave it out")
    return Calendar(name, source=_SOURCE, folder="-", **options)


def dates_in(text: str, kind: str) -> dict[str, str]:
    """Return the days in a text of a CSV or ICS file with their names. Raises ValueError."""
    return as_dates(holidays_in(text, kind))


def as_dates(holidays: Mapping[date, str]) -> dict[str, str]:
    """Return the holidays of a file as the option `dates`. Raises ValueError if there is none."""
    if not holidays:
        raise ValueError("no day stands in it")
    return {day.isoformat(): _short(name) for day, name in sorted(holidays.items())}


def too_many(options: Mapping[str, Any]) -> str | None:
    """Return that a calendar has more days than are kept, if it has."""
    count = sum(len(options.get(name) or ()) for name in ("dates", "working", "half_days"))
    if count <= MOST_DATES:
        return None
    return f"has {count} days; at most {MOST_DATES} are kept: leave out years that have passed"


def plain(value: Any) -> Any:
    """Return an option as JSON values."""
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:%H:%M}" if hasattr(value, "hour") else value


def _members(options: Mapping[str, Any]) -> list[str]:
    return [*(options.get("all_of") or ()), *(options.get("any_of") or ())]


def _short(name: str) -> str:
    # What no database can hold, or no page show, is no reason to refuse a whole file.
    return "".join(letter for letter in name if letter.isprintable())[:_MOST_NAME] or "holiday"
