"""The clock on a wall, as the engines' own libraries read it. Instants are naive UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


class LocalClock:
    """The clock of one time zone; wall times are naive local."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def offset(self, instant: datetime) -> timedelta:
        """Return how far the wall is ahead of UTC."""
        return self.wall(instant) - instant

    def wall(self, instant: datetime) -> datetime:
        """Return what the wall shows."""
        return self.zone.fromutc(instant.replace(tzinfo=self.zone)).replace(tzinfo=None)

    def earlier(self, wall: datetime) -> datetime:
        """Return the first instant that shows it; for a skipped time, by the offset before."""
        return wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC).replace(tzinfo=None)

    def later(self, wall: datetime) -> datetime:
        """Return the last instant that shows it; for a skipped time, by the offset after."""
        return wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC).replace(tzinfo=None)

    def instants(self, wall: datetime) -> list[datetime]:
        """Return every instant that shows it: none, one or two, in order."""
        found = (self.earlier(wall), self.later(wall))
        return [each for each in sorted(set(found)) if self.wall(each) == wall]

    def valid_after_gap(self, wall: datetime) -> datetime:
        """Return the instant at which the clock leapt over a skipped wall time."""
        low, high = self.later(wall), self.earlier(wall)
        before = self.offset(low)
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) // 2
            low, high = (middle, high) if self.offset(middle) == before else (low, middle)
        return high.replace(microsecond=0)

    def near(self, wall: datetime, offset: timedelta) -> datetime:
        """Return the instant that shows it, guessed by an offset; a skipped time moves forward.

        Of a repeated time it is the one with that offset, where that fits.
        """
        first = self.offset(wall - offset)
        if first == offset:
            return wall - offset
        second = self.offset(wall - first)
        return wall - (first if second == first else min(first, second))
