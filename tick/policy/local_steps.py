"""Steps of whole local days or months, and their instants in a time zone. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from tick.cron.local_times import Dst, LocalTimes
from tick.cron.zone_data import Zone
from tick.cron.zones import as_zone, check_zone
from tick.policy.month_steps import MonthStep, month_step_in_words

DEFAULT_ANCHOR = date(1970, 1, 1)
_SHORTEST_MONTH, _LONGEST_MONTH = 28, 31
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LocalStep:
    """A time of day on the day `first`, and on every so many `days` or `months` after it.

    In months without the day `month_day` it is their last day. A week is seven days.
    """

    first: date
    at: time
    days: int = 0
    months: int = 0
    month_day: int = 0

    @property
    def follows_real_time(self) -> bool:
        """Never: it is a fixed time on the wall."""
        return False

    def count(self, first: datetime, end: datetime) -> int:
        """Return how many of its wall times lie in [first, end)."""
        return max(self._count_before(end) - self._count_before(first), 0)

    def after(self, wall: datetime) -> datetime:
        """Return its first wall time strictly later."""
        return self._nth(self._count_before(wall + _MOMENT))

    def before(self, wall: datetime) -> datetime:
        """Return its last wall time strictly earlier; long ago if there is none."""
        earlier = self._count_before(wall)
        return self._nth(earlier - 1) if earlier else datetime.min

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        counted = {"days": self.days, "months": self.months, "month_day": self.month_day}
        return {
            "first": self.first.isoformat(),
            "at": f"{self.at:%H:%M}",
            **{name: number for name, number in counted.items() if number},
        }

    @staticmethod
    def from_plain(values: dict[str, Any]) -> "LocalStep":
        """Return the step that `to_plain` wrote. Raises ValueError or TypeError on others."""
        first, at = date.fromisoformat(values["first"]), time.fromisoformat(values["at"])
        return LocalStep(**(values | {"first": first, "at": at}))

    def _nth(self, index: int) -> datetime:
        # Always from the first: a month's last day stays one after a shorter month.
        if not self.months:
            return datetime.combine(self.first + timedelta(days=self.days * index), self.at)
        year, month = divmod(_month(self.first) + self.months * index, 12)
        day = min(self.month_day, monthrange(year, month + 1)[1])
        return datetime.combine(date(year, month + 1, day), self.at)

    def _count_before(self, wall: datetime) -> int:
        start = self._nth(0)
        if wall <= start:
            return 0
        if not self.months:
            return -((start - wall) // timedelta(days=self.days))
        index = (_month(wall) - _month(self.first)) // self.months
        return index + (self._nth(index) < wall)


def step_in_words(step: LocalStep | MonthStep) -> str:
    """Return it in words: `Every 2 weeks on Monday at 09:00, counted from 2027-01-04`."""
    if isinstance(step, MonthStep):
        number, said = step.months, month_step_in_words(step)
    else:
        number, said = _in_words(step)
    # Where no step is left out, only a beginning that was chosen says anything.
    is_plain = number == 1 and step.first.year == DEFAULT_ANCHOR.year
    return said if is_plain else f"{said}, counted from {step.first}"


def _in_words(step: LocalStep) -> tuple[int, str]:
    if step.months:
        number, unit, on = step.months, "month", f" on {_day_in_words(step.month_day)}"
    elif step.days % 7 == 0:
        number, unit, on = step.days // 7, "week", f" on {step.first:%A}"
    else:
        number, unit, on = step.days, "day", ""
    said = f"Every {unit}" if number == 1 else f"Every {number} {unit}s"
    return number, f"{said}{on} at {step.at:%H:%M}"


def _day_in_words(day: int) -> str:
    if day == _LONGEST_MONTH:
        return "the last day"
    return f"day {day}" if day <= _SHORTEST_MONTH else f"day {day} or the last day"


def _month(day: date) -> int:
    """Return the number of a day's month, counted from the year 0."""
    return day.year * 12 + day.month - 1


@dataclass(frozen=True, slots=True)
class _StepTimes(LocalTimes):
    """The instants of one step in one zone."""

    fields: LocalStep | MonthStep

    def clock(self) -> LocalStep | MonthStep:
        """Return the step, which finds each of its wall times itself."""
        return self.fields


def step_times(step: LocalStep | MonthStep, timezone: str | Zone, dst: Dst) -> LocalTimes:
    """Return the instants of a step. Raises InvalidCron if there is no such zone."""
    check_zone(timezone)
    return _StepTimes(step, as_zone(timezone), dst)
