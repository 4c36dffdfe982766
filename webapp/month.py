"""A month to come: for each day what will fire, what fires together, and clock changes. Pure."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from tick.ops.queries.upcoming import Lane, minute_of
from webapp.clock_changes import ClockChange, find_zone
from webapp.free_days import free_days

MOST_MONTHS_AHEAD = 12
_DAY = timedelta(days=1)
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})\Z")


@dataclass
class MonthDay:
    """One square: instants and names in order; `collisions` of its minutes have several."""

    date: date
    in_month: bool
    instants: list[tuple[datetime, str]] = field(default_factory=list)
    collisions: int = 0
    changes: list[ClockChange] = field(default_factory=list)
    is_free: bool = False
    holiday: str | None = None

    @property
    def words(self) -> str:
        """`Tue 24 Nov: 3 firings, 1 collision`."""
        parts = [_count(len(self.instants), "firing")]
        if self.collisions:
            parts.append(_count(self.collisions, "collision"))
        if self.holiday:
            parts.append(self.holiday)
        parts += [f"{change.zone}: {change.words}" for change in self.changes]
        return f"{self.date:%a} {self.date.day} {self.date:%b}: {', '.join(parts)}"


def month_start(text: str, today: date) -> date:
    """The first day of `2026-12`, from this month to MOST_MONTHS_AHEAD; of this month otherwise."""
    this = today.replace(day=1)
    found = _MONTH.match(text)
    if not found or not 1 <= int(found[2]) <= 12:
        return this
    months = (int(found[1]) - this.year) * 12 + int(found[2]) - this.month
    return add_months(this, months) if 0 <= months <= MOST_MONTHS_AHEAD else this


def add_months(first: date, months: int) -> date:
    """The first day of the month so many months later."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def month_bounds(first: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first instant of the month in the zone, and of the next month."""
    return (
        datetime.combine(first, time(), zone),
        datetime.combine(add_months(first, 1), time(), zone),
    )


def month_weeks(
    first: date,
    lanes: Iterable[Lane],
    collisions: Collection[datetime],
    changes: Iterable[ClockChange],
    zone: tzinfo,
    holiday_on: Callable[[date], str | None] = lambda _: None,
) -> list[list[MonthDay]]:
    """The weeks of the month, from Monday; what fires all the time is left out."""
    monday = first - first.weekday() * _DAY
    last = add_months(first, 1) - _DAY
    days = [monday + number * _DAY for number in range(((last - monday).days // 7 + 1) * 7)]
    by_date = {day: MonthDay(day, day.month == first.month) for day in days}
    for at, name in sorted(
        (at, lane.name) for lane in lanes if not lane.dense for at in lane.instants
    ):
        by_date[at.astimezone(zone).date()].instants.append((at, name))
    for minute in collisions:
        by_date[minute_of(minute).astimezone(zone).date()].collisions += 1
    for change in changes:
        if square := by_date.get(change.day.astimezone(find_zone(change.zone)).date()):
            square.changes.append(change)
    for free in free_days(days, holiday_on):
        by_date[free.date].is_free, by_date[free.date].holiday = True, free.holiday
    return [list(by_date.values())[start : start + 7] for start in range(0, len(days), 7)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
