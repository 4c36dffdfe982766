"""Calendars → the days that they name: holidays, half days and working weekends, with mistakes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path

from tick.define.calendar_files import read_holidays
from tick.define.calendars import Calendar
from tick.define.library_holidays import (
    ALL_DAYS,
    LibraryDays,
    UnknownRegion,
    library_version,
    read_region,
)
from tick.define.schedules import Schedule
from tick.define.wrong_values import NAME, did_you_mean
from tick.policy.business_days import WEEKEND, BusinessDays

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_USUAL_WEEKEND = (5, 6)
_FIRST, _LAST = ALL_DAYS[0], ALL_DAYS[-1]
_MOST_NAME = 50


@dataclass
class ExpandedCalendars:
    """The days of calendars by name, what they were made from, and the mistakes in them."""

    days: dict[str, BusinessDays] = field(default_factory=dict)
    made_from: dict[str, str] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    by_hand: dict[str, str | None] = field(default_factory=dict)
    """Of those made by hand, why one has no days with these definitions; None: it has."""


class _Wrong(Exception):
    """One mistake of a calendar."""


def expand(
    calendars: Iterable[Calendar], known: ExpandedCalendars | None = None
) -> ExpandedCalendars:
    """Return the days of all calendars, beside those that are known; with mistakes, none."""
    base, waiting = known or ExpandedCalendars(), list(calendars)
    result = ExpandedCalendars(dict(base.days), dict(base.made_from))
    names = [*base.days, *(calendar.name for calendar in waiting)]
    for calendar in waiting:
        result.mistakes += (f"{_where(calendar)}: {text}" for text in _in_one(calendar, names))
    if result.mistakes:
        return result
    while waiting:
        ready = [each for each in waiting if set(each.members) <= result.days.keys()]
        for calendar in ready or waiting:
            waiting.remove(calendar)
            try:
                if not ready:
                    raise _Wrong("combines itself, by way of others; name other calendars.")
                _expand_one(calendar, result)
            except (_Wrong, UnknownRegion) as error:
                result.mistakes.append(f"{_where(calendar)}: {error}")
                # Calendars that combine it are not to be told of as well.
                result.days.setdefault(calendar.name, _nothing(calendar.name))
            if not ready:
                break
    return result


def with_days(schedule: Schedule, known: ExpandedCalendars) -> Schedule:
    """Return the schedule with the days of the calendar that it names, if there is one."""
    if schedule.calendar is None:
        return schedule
    return replace(schedule, business_days=known.days.get(str(schedule.calendar)))


def _where(calendar: Calendar) -> str:
    return f"{calendar.source}: calendar {calendar.name!r}"


def _in_one(calendar: Calendar, names: Sequence[str]) -> Iterator[str]:
    name = calendar.name
    if not isinstance(name, str) or not NAME.match(name) or len(name) > _MOST_NAME:
        yield f"use lower-case letters, digits, dots and dashes, at most {_MOST_NAME} characters."
    elif names.count(name) > 1:
        yield "is defined more than once; rename all but one."
    own = (calendar.country, calendar.file, calendar.dates or None, calendar.weekend)
    if not calendar.members and not any(own):
        yield "names no days; give country, file, dates, all_of or any_of."
    if calendar.all_of and calendar.any_of:
        yield "has all_of and any_of; a calendar of its own for one of them can be named here."
    if calendar.members and any((calendar.country, calendar.file, calendar.weekend)):
        yield "combines others, so country, file and weekend have no effect; leave them out."
    if calendar.country is None and (calendar.subdivision or calendar.categories):
        yield "subdivision and categories have no effect without country; give it."
    for member in calendar.members:
        if member not in names:
            yield f"combines unknown calendar {member!r}{did_you_mean(member, names)}."


def _expand_one(calendar: Calendar, result: ExpandedCalendars) -> None:
    made_from = []
    if calendar.members:
        found = _combine(calendar, result.days)
        word = "all" if calendar.all_of else "any"
        members = (f"{each} ({result.made_from.get(each)})" for each in calendar.members)
        made_from.append(f"a working day in {word} of {', '.join(members)}")
    elif calendar.country is not None:
        found = read_region(calendar)
        made_from.append(_region(calendar, found))
    else:
        found = LibraryDays(_USUAL_WEEKEND, _LAST)
    if calendar.file is not None:
        found.holidays |= _read_file(calendar)
        made_from.append(Path(calendar.file).name)
    if calendar.dates:
        made_from.append("its own dates")
    _add_own(calendar, found)
    half_days = {_date(day): _time(at) for day, at in calendar.half_days.items()}
    half_days |= {} if not calendar.members else _half_days_of(calendar, result.days)
    result.days[calendar.name] = _days(calendar.name, found, half_days)
    result.made_from[calendar.name] = "; ".join(made_from) or "its weekend"


def _region(calendar: Calendar, found: LibraryDays) -> str:
    part = "" if calendar.subdivision is None else f" {calendar.subdivision}"
    # Some are what most people there have off: Good Friday in Hong Kong, 15 August in Bavaria.
    without = f" without {', '.join(found.left_out)}" if found.left_out else ""
    return f"{library_version()}, {calendar.country}{part}{without}"


def _add_own(calendar: Calendar, found: LibraryDays) -> None:
    for day, name in calendar.dates.items():
        found.holidays[_date(day)] = str(name)
    for day in map(_date, calendar.working):
        found.holidays.pop(day, None)
        found.estimated.discard(day)
        if day.weekday() in found.weekend:
            found.make_up_days.add(day)
    if calendar.weekend is not None:
        found.weekend = _weekend(calendar.weekend)
    if calendar.until is not None:
        found.until = min(_date(calendar.until), found.until)


def _combine(calendar: Calendar, known: Mapping[str, BusinessDays]) -> LibraryDays:
    """Return the days on which its calendars, asked one by one, leave no working day."""
    members = [known[name] for name in calendar.members]
    every = bool(calendar.all_of)
    weekends = [set(each.weekend) for each in members]
    weekend = set.union(*weekends) if every else set.intersection(*weekends)
    until = min(date.fromisoformat(each.until) for each in members)
    found = LibraryDays(tuple(sorted(weekend)), until)
    for day in (day for day in ALL_DAYS if day <= until):
        off = {each.calendar: why for each in members if (why := each.why_off(day)) is not None}
        is_off = bool(off) if every else len(off) == len(members)
        named = {why: None for why in off.values() if why != WEEKEND}
        if is_off and (named or day.weekday() not in weekend):
            found.holidays[day] = "; ".join(named) or WEEKEND
        elif not is_off and day.weekday() in weekend:
            found.make_up_days.add(day)
        if any(each.is_known(day) and each.doubt(day) for each in members):
            found.estimated.add(day)
    return found


def _half_days_of(calendar: Calendar, known: Mapping[str, BusinessDays]) -> dict[date, time]:
    """Return when each half day ends: with all_of where the first does, with any_of nowhere."""
    found: dict[date, time] = {}
    for name in calendar.all_of:
        for at, days in known[name].half_days:
            for day in map(date.fromisoformat, days.split()):
                found[day] = min(time.fromisoformat(at), found.get(day, time.max))
    return found


def _days(name: str, found: LibraryDays, half_days: Mapping[date, time]) -> BusinessDays:
    by_name: dict[str, list[date]] = {}
    for day, holiday in found.holidays.items():
        by_name.setdefault(holiday, []).append(day)
    by_time: dict[str, list[date]] = {}
    for day, at in half_days.items():
        by_time.setdefault(f"{at:%H:%M}", []).append(day)
    return BusinessDays(
        calendar=name,
        first=_text([_FIRST]),
        until=_text([found.until]),
        weekend=found.weekend,
        holidays=tuple((key, _text(days)) for key, days in sorted(by_name.items())),
        half_days=tuple((key, _text(days)) for key, days in sorted(by_time.items())),
        make_up_days=_text(day for day in found.make_up_days if day <= found.until),
        estimated=_text(found.estimated),
    )


def _nothing(name: str) -> BusinessDays:
    return BusinessDays(name, first=_text([_FIRST]), until=_text([_LAST]))


def _text(days: Iterable[date]) -> str:
    return " ".join(f"{day:%Y%m%d}" for day in sorted(days))


def _read_file(calendar: Calendar) -> dict[date, str]:
    path = Path(calendar.folder) / str(calendar.file)
    try:
        return read_holidays(path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise _Wrong(f"file {str(calendar.file)!r} can't be read: {why}.") from None


def _date(value: date | str) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Wrong(f"{value!r} is no date; write '2026-05-01'.") from None


def _time(value: time | str) -> time:
    try:
        return value if isinstance(value, time) else time.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Wrong(f"{value!r} is no time of day; write '14:00'.") from None


def _weekend(given: Sequence[str]) -> tuple[int, ...]:
    words = [str(word).lower()[:3] for word in given]
    if isinstance(given, str) or not set(words) <= set(_WEEKDAYS) or len(set(words)) == 7:
        raise _Wrong(f"weekend {given!r} is no list of weekdays: write ['fri', 'sat'].")
    return tuple(sorted(_WEEKDAYS.index(word) for word in set(words)))
