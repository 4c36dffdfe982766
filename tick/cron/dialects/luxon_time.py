"""Local time as the JavaScript libraries have it (luxon): an instant, moved by wall or by clock."""

from datetime import datetime, timedelta
from typing import Any

from tick.cron.dialects.local_clock import LocalClock

_UNITS = ("month", "day", "hour", "minute", "second")


class LuxonTime:
    """An instant in a zone; every move returns another one."""

    def __init__(self, clock: LocalClock, instant: datetime) -> None:
        self.clock = clock
        self.instant = instant
        self.wall = clock.wall(instant)

    @property
    def offset(self) -> timedelta:
        """How far the wall is ahead of UTC."""
        return self.wall - self.instant

    @property
    def weekday(self) -> int:
        """0 for Sunday to 6 for Saturday."""
        return self.wall.isoweekday() % 7

    def plus(self, seconds: int) -> "LuxonTime":
        """Return the time that much later, as clocks count."""
        return LuxonTime(self.clock, self.instant + timedelta(seconds=seconds))

    def at(self, wall: datetime) -> "LuxonTime":
        """Return the time of a wall time, nearest to the offset here."""
        return LuxonTime(self.clock, self.clock.near(wall, self.offset))

    def set(self, **values: Any) -> "LuxonTime":
        """Return the same wall time with some values changed."""
        return self.at(self.wall.replace(**values))

    def start_of(self, unit: str) -> "LuxonTime":
        """Return the same wall time with everything below the unit at its least."""
        lower = _UNITS[_UNITS.index(unit) + 1 :]
        return self.set(**{each: 1 if each == "day" else 0 for each in lower}, microsecond=0)

    def next_day(self) -> "LuxonTime":
        """Return the start of the next day on the wall."""
        return self.at(self.wall + timedelta(days=1)).start_of("day")

    def next_month(self) -> "LuxonTime":
        """Return the start of the next month on the wall."""
        ahead = self.wall.replace(day=1) + timedelta(days=31)
        return self.at(ahead.replace(day=min(self.wall.day, 28))).start_of("month")
