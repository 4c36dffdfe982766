"""Days off, which a calendar greys: weekends and holidays of whatever says which they are. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from tick.ops.reports.lanes import Lane
from tick.policy.business_days import WEEKEND, BusinessDays
from webapp.drawing.charts import shade_path
from webapp.drawing.clock_changes import find_zone

WhyOff = Callable[[date], str | None]
"""Why a day is off: the name of its holiday, or WEEKEND; None of a working day."""
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
        return f"{self.date:%a} {self.date.day} {self.date:%b}: {self.holiday or WEEKEND}"


@dataclass(frozen=True)
class Shade:
    """The days off of a calendar in a time; `calendar` is None for those of the settings."""

    calendar: str | None
    free: tuple[FreeDay, ...]
    path: str

    @property
    def words(self) -> str:
        """Return its days, behind the calendar's name."""
        days = ", ".join(day.words for day in self.free)
        return f"{self.calendar}: {days}" if self.calendar else days


def usual_weekend(day: date) -> str | None:
    """Return why a day is off where nothing says otherwise: Saturday and Sunday."""
    return WEEKEND if day.weekday() >= _SATURDAY else None


def free_days(days: Iterable[date], why_off: WhyOff) -> list[FreeDay]:
    """Return the days that are off."""
    reasons = ((day, why_off(day)) for day in days)
    return [FreeDay(day, None if why == WEEKEND else why) for day, why in reasons if why]


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


def shades(
    lanes: Iterable[Lane], start: datetime, end: datetime, zone: tzinfo, why_off: WhyOff
) -> dict[str, Shade]:
    """Return the days off of each lane by its schedule: of its own calendar, in its own zone.

    Those of lanes without a calendar are as `why_off` says, in the `zone` of whoever looks.
    """
    known: dict[tuple[BusinessDays | None, str], Shade] = {}
    found = {}
    for lane in lanes:
        key = lane.calendar, lane.timing.timezone if lane.calendar else ""
        if key not in known:
            known[key] = _shade(lane, start, end, zone, why_off)
        found[lane.schedule_id] = known[key]
    return found


def _shade(lane: Lane, start: datetime, end: datetime, zone: tzinfo, why_off: WhyOff) -> Shade:
    days = lane.calendar
    name, why_off = (None, why_off) if days is None else (days.calendar, days.why_off)
    zone = zone if days is None else find_zone(lane.timing.timezone)
    free = tuple(free_days(days_between(start, end, zone), why_off))
    return Shade(name, free, shade_path((bounds(day, zone) for day in free), start, end))
