"""Weekends and public holidays, which a calendar greys. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class FreeDay:
    """A day off; `holiday` is the name of what is celebrated, None on a plain weekend."""

    date: date
    holiday: str | None

    @property
    def words(self) -> str:
        """Return `Fri 25 Dec: Christmas Day (DE)`."""
        return f"{self.date:%a} {self.date.day} {self.date:%b}: {self.holiday or 'weekend'}"


def free_days(days: Iterable[date], holiday_on: Callable[[date], str | None]) -> list[FreeDay]:
    """Return the days that are a Saturday, a Sunday or a holiday."""
    named = ((day, holiday_on(day)) for day in days)
    return [FreeDay(day, name) for day, name in named if name or day.weekday() >= _SATURDAY]


def days_between(start: datetime, end: datetime, zone: tzinfo) -> Iterator[date]:
    """Yield the days of the zone's calendar that [start, end] touches."""
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        yield day
        day += _DAY


def bounds(free: FreeDay, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first instant of the day in the zone, and of the next."""
    first, following = free.date, free.date + _DAY
    return datetime.combine(first, time(), zone), datetime.combine(following, time(), zone)
