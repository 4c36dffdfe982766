"""The calendar of a month to come: firings, collisions and clock changes by day. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from tick.ops.queries.courses import minute_of
from tick.ops.reports.lanes import Lane, by_instants
from tick.policy.windows import Window
from tick.text import counted
from tick.utc import in_utc
from webapp.drawing.clock_changes import ClockChange, find_zone
from webapp.drawing.days_off import WhyOff, free_days, usual_weekend

MOST_MONTHS_AHEAD = 12
ROLLING_WEEKS = 5
MOST_NAMED = 3
_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})\Z")


@dataclass
class MonthDay:
    """A day: its firings, the first few by name; in `collisions` minutes several fire."""

    date: date
    beside: bool  # it belongs to the month before or after the one that is shown
    firings: int = 0
    first: list[tuple[datetime, str]] = field(default_factory=list)
    collisions: int = 0
    changes: list[ClockChange] = field(default_factory=list)
    is_free: bool = False
    holiday: str | None = None
    closed: list[Window] = field(default_factory=list)
    """The maintenance windows that touch it."""

    @property
    def words(self) -> str:
        """Return `Tue 24 Nov: 3 firings, 1 collision`."""
        parts = [counted(self.firings, "firing")]
        if self.collisions:
            parts.append(counted(self.collisions, "collision"))
        if self.holiday:
            parts.append(self.holiday)
        if self.closed:
            parts.append(counted(len(self.closed), "window"))
        parts += [f"{change.zone}: {change.words}" for change in self.changes]
        return f"{self.date:%a} {self.date.day} {self.date:%b}: {', '.join(parts)}"


def month_of(text: str) -> date:
    """Return the first day of `2026-12`. Raises ValueError."""
    found = _MONTH.match(text)
    if not found or not 1 <= int(found[2]) <= 12 or not int(found[1]):
        raise ValueError("it is a month, such as 2026-12")
    return date(int(found[1]), int(found[2]), 1)


def month_start(text: str, today: date) -> date:
    """Return the first day of `2026-12`, if it is at most MOST_MONTHS_AHEAD; else of this month."""
    this = today.replace(day=1)
    try:
        wanted = month_of(text)
    except ValueError:
        return this
    return wanted if this <= wanted <= add_months(this, MOST_MONTHS_AHEAD) else this


def add_months(first: date, months: int) -> date:
    """Return the first day of the month that lies `months` later."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True)
class MonthView:
    """The days of a view in whole weeks; days before `begin` or after `end` are beside it."""

    begin: date
    end: date
    rolling: bool = False

    @property
    def days(self) -> list[date]:
        """Return all days, from a Monday to a Sunday."""
        monday = self.begin - self.begin.weekday() * _DAY
        weeks = (self.end - monday).days // 7 + 1
        return [monday + number * _DAY for number in range(weeks * 7)]

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Return their first instant in the zone, and the first after them, in UTC."""
        first, after = self.days[0], self.days[-1] + _DAY
        start, end = datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)
        return in_utc(start), in_utc(end)


def month_view(first: date, today: date) -> MonthView:
    """Return the ROLLING_WEEKS from this week for this month, else the weeks of the month."""
    # Rolling: on the 30th, a calendar of this month alone would be almost over.
    if first == today.replace(day=1):
        monday = today - today.weekday() * _DAY
        return MonthView(monday, monday + ROLLING_WEEKS * 7 * _DAY - _DAY, rolling=True)
    return MonthView(first, add_months(first, 1) - _DAY)


def month_weeks(
    shown: MonthView,
    lanes: Iterable[Lane],
    collisions: Collection[datetime],
    changes: Iterable[ClockChange],
    zone: tzinfo,
    why_off: WhyOff = usual_weekend,
    closed: Iterable[Window] = (),
) -> list[list[MonthDay]]:
    """Return the weeks of the view, from Monday; what fires all the time is left out."""
    days = shown.days
    by_date = {day: MonthDay(day, not shown.begin <= day <= shown.end) for day in days}
    _fill(by_date, lanes, zone)
    for minute in collisions:
        by_date[minute_of(minute).astimezone(zone).date()].collisions += 1
    for change in changes:
        if square := by_date.get(change.day.astimezone(find_zone(change.zone)).date()):
            square.changes.append(change)
    for free in free_days(days, why_off):
        by_date[free.date].is_free, by_date[free.date].holiday = True, free.holiday
    for window in closed:
        for day in _days_of(window, days, zone):
            by_date[day].closed.append(window)
    return [list(by_date.values())[start : start + 7] for start in range(0, len(days), 7)]


def _days_of(window: Window, days: Sequence[date], zone: tzinfo) -> Iterator[date]:
    """Yield those of the days that a window touches; one without end begins on its day."""
    first = window.starts_at.astimezone(zone).date()
    last = first if window.ends_at is None else (window.ends_at - _MOMENT).astimezone(zone).date()
    if window.ends_at is None or window.ends_at > window.starts_at:
        yield from (day for day in days if first <= day <= last)


def _fill(by_date: Mapping[date, MonthDay], lanes: Iterable[Lane], zone: tzinfo) -> None:
    """Count the firings of each day, and name its first few."""
    for instants, names in by_instants(lanes).items():
        for at in instants:
            square = by_date[at.astimezone(zone).date()]
            square.firings += len(names)
            square.first += [(at, name) for name in names[:MOST_NAMED]]
    for square in by_date.values():
        square.first = sorted(square.first)[:MOST_NAMED]
