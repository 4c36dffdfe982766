"""The daemons: Debian's cron, cronie, and BusyBox's crond."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NoReturn

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import ALIASES, BOUNDS, FIVE, NAMES, Reading, one_line
from tick.cron.dialects.spec import Spec, days, ordered, weekday_of
from tick.cron.dialects.walks import ClockRule, walk_days
from tick.cron.grammar import quote
from tick.errors import InvalidCron

# Debian's cron takes a larger leap for a corrected clock and makes up for nothing.
_MADE_UP = ClockRule("first valid", "first", longest=timedelta(hours=3))
_AS_THE_WALL_SHOWS = ClockRule("skip", "both")
_VIXIE_ITEM = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\w*))?", re.ASCII)
_DRAWN = re.compile(r"(\d*)~(\d*)(?:/\d+)?")


def debian(expression: str) -> Spec:
    """Return what Debian's cron reads; it ignores the rest of a field after a sign it lacks."""
    return _vixie(Reading("debian-cron"), expression, stops_at_noise=True)


def cronie(expression: str) -> Spec:
    """Return what cronie reads; of a drawn `a~b` the least value."""
    return _vixie(Reading("cronie"), expression, stops_at_noise=False)


def drawn_by_cronie(expression: str) -> str | None:
    """Return in which ranges cronie draws values when it loads the table; None for no draw."""
    fields = expression.split()
    found = [
        f"{name} {match[1] or low}-{match[2] or high}"
        for name, text in zip(FIVE, fields, strict=False)
        for low, high in [BOUNDS[name]]
        for item in text.split(",")
        if (match := _DRAWN.fullmatch(item))
    ]
    return ", ".join(found) or None


def _vixie(reading: Reading, expression: str, *, stops_at_noise: bool) -> Spec:
    if expression.lstrip().startswith("@") and expression != expression.lower():
        raise InvalidCron(f"{reading.engine} knows {quote(expression)} in lower case only")
    texts = reading.split(expression)[1:]
    minutes, hours, dates, months, weekdays = (
        _vixie_values(reading, field, text, stops_at_noise)
        for field, text in zip(FIVE, texts, strict=True)
    )
    sundays = {value % 7 for value in weekdays}
    # Judged by the first character alone: 1-31 is no star, */2 is one.
    either = not texts[2].startswith("*") and not texts[4].startswith("*")
    return Spec(
        (0,),
        ordered(minutes),
        ordered(hours),
        days(
            months,
            lambda day: day.day in dates,
            lambda day: weekday_of(day) in sundays,
            any if either else all,
        ),
        repeating=texts[0].startswith("*") or texts[1].startswith("*"),
    )


def _vixie_values(reading: Reading, field: str, text: str, stops_at_noise: bool) -> set[int]:
    found: set[int] = set()
    rest = text
    while True:
        match = _DRAWN.match(rest) if not stops_at_noise else None
        if match is not None:
            low, high = BOUNDS[field]
            first, last = int(match[1] or low), int(match[2] or high)
            if not low <= first <= last <= high:
                reading.refuse(field, text, f"draw from {low} to {high}, the lower first")
            found.add(first)
        else:
            match = _VIXIE_ITEM.match(rest)
            if match is None:
                reading.refuse(field, text, "write numbers, ranges and steps")
            found |= _vixie_item(reading, field, match)
        rest = rest[match.end() :]
        if not rest.startswith(","):
            break
        rest = rest[1:]
    if rest and not stops_at_noise:
        reading.refuse(field, text, f"{quote(rest)} means nothing here; leave it out")
    return found


def _vixie_item(reading: Reading, field: str, match: re.Match[str]) -> set[int]:
    text, (first, last, step_text) = match[0], match.groups()
    low, high = BOUNDS[field]
    if step_text is not None and not (step_text.isdigit() and int(step_text)):
        reading.refuse(field, text, "the step must be at least 1")
    step = int(step_text or 1)
    if first == "*":
        # What follows a star but is no step is noise.
        return set(range(low, high + 1, step))
    start = reading.number(field, text, first)
    if last is None:
        if step_text is not None:
            reading.refuse(field, text, f"a step needs a range or *; write {first}-{high}/{step}")
        return {start}
    # A range that runs backwards is accepted, and holds nothing: the line never runs.
    return set(range(start, reading.number(field, text, last) + 1, step))


def walk_vixie(spec: Spec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when both daemons fire in the machine's own zone: fixed jobs are made up for once."""
    return walk_days(spec, clock, after, _MADE_UP, _AS_THE_WALL_SHOWS)


# BusyBox keeps a field as so many slots; a star fills them all, slot 0 of the days too.
_SLOTS = {"minute": (60, 0), "hour": (24, 0), "day": (32, 0), "month": (12, -1), "weekday": (7, 0)}
_BUSYBOX_ITEM = re.compile(r"(\*|\d+|[a-z]{3})(?:-(\d+|[a-z]{3}))?(?:/(\d*))?", re.IGNORECASE)


def busybox(expression: str) -> Spec:
    """Return what BusyBox's crond reads: steps count from slot 0, ranges wrap around."""
    text = one_line("busybox-crond", expression)
    fields = ALIASES.get(text, text).split()
    if len(fields) != 5:
        raise InvalidCron(f"busybox-crond reads five fields, not {len(fields)}: {quote(text)}")
    minutes, hours, dates, months, weekdays = map(_busybox_slots, FIVE, fields)
    some_dates, some_weekdays = len(dates) < 32, len(weekdays) < 7
    # A field with every slot filled decides nothing where the other one is restricted.
    if some_dates and not some_weekdays:
        weekdays = set()
    elif some_weekdays and not some_dates:
        dates = set()
    return Spec(
        (0,),
        ordered(minutes),
        ordered(hours),
        days(
            [slot + 1 for slot in months],
            lambda day: day.day in dates,
            lambda day: weekday_of(day) in weekdays,
            any,
        ),
    )


def _busybox_slots(field: str, text: str) -> set[int]:
    size, shift = _SLOTS[field]
    found: set[int] = set()
    for item in text.split(","):
        match = _BUSYBOX_ITEM.fullmatch(item)
        if match is None:
            _refuse_busybox(field, item, size, shift)
        first, last, step = match.groups()
        if first == "*":
            if last is not None:
                _refuse_busybox(field, item, size, shift)
            start, length = 0, size
        else:
            start = _slot(field, item, first)
            end = start if last is None else _slot(field, item, last)
            length = (end - start) % size + 1
        stride = int(step or 0) if step is not None else 1
        taken = range(0, length, stride) if stride else range(1)
        found |= {(start + each) % size for each in taken}
    return found


def _slot(field: str, item: str, text: str) -> int:
    size, shift = _SLOTS[field]
    if text.lower() in NAMES.get(field, {}):
        return NAMES[field][text.lower()] + shift
    if not text.isdigit() or not 0 <= int(text) + shift < size:
        _refuse_busybox(field, item, size, shift)
    return int(text) + shift


def _refuse_busybox(field: str, item: str, size: int, shift: int) -> NoReturn:
    raise InvalidCron(
        f"busybox-crond refuses {field} {quote(item)}: write numbers from {-shift} to "
        f"{size - 1 - shift}, ranges and steps"
    )


def walk_busybox(spec: Spec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when BusyBox's crond fires: at each minute whose wall time matches."""
    return walk_days(spec, clock, after, _AS_THE_WALL_SHOWS, _AS_THE_WALL_SHOWS)
