"""The plain walk: day by day, and one rule for skipped and repeated wall times."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import product

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.spec import Spec

_DAY = timedelta(days=1)
_MOST_AHEAD = timedelta(hours=15)
_NEVER_LONGER = timedelta(days=2)
# An expression without a match has to end: 29 February on one weekday comes in 40 years at most.
LONGEST_WAIT = timedelta(days=36525)


@dataclass(frozen=True, slots=True)
class ClockRule:
    """What becomes of a wall time that a clock change skips (gap) or repeats (fold).

    `gap` is "skip", "shift" (by the offset before), or "first valid", that is, the instant of the
    leap, if it was no longer than `longest` and, where `same_day`, the day is still that one.
    """

    gap: str = "skip"
    fold: str = "both"
    longest: timedelta = _NEVER_LONGER
    same_day: bool = False

    def instants(self, clock: LocalClock, wall: datetime) -> list[datetime]:
        """Return the instants at which a wall time fires, in order."""
        found = clock.instants(wall)
        if not found:
            return self._in_gap(clock, wall)
        return {"first": found[:1], "second": found[-1:], "both": found}[self.fold]

    def _in_gap(self, clock: LocalClock, wall: datetime) -> list[datetime]:
        if self.gap == "skip":
            return []
        if self.gap == "shift":
            return [clock.earlier(wall)]
        if clock.earlier(wall) - clock.later(wall) > self.longest:
            return []
        valid = clock.valid_after_gap(wall)
        if self.same_day and clock.wall(valid).date() != wall.date():
            return []
        return [valid]


def walk_days(
    spec: Spec, clock: LocalClock, after: datetime, fixed: ClockRule, repeating: ClockRule
) -> Iterator[datetime]:
    """Yield the instants later than `after`, in order, until none comes for a century."""
    rule = repeating if spec.repeating else fixed
    times = [time(*each) for each in product(spec.hours, spec.minutes, spec.seconds)]
    day = clock.wall(after).date() - _DAY
    if not times:
        return
    waiting: set[datetime] = set()
    last = matched = after
    while datetime.combine(day, time()) < matched + LONGEST_WAIT:
        # What a day fires can come after the first instants of the next one, where the clock is
        # turned back over midnight: each is held until no later day can be earlier.
        if waiting:
            safe = datetime.combine(day, time()) - _MOST_AHEAD
            for instant in sorted(each for each in waiting if each < safe):
                waiting.remove(instant)
                if instant > last:
                    yield instant
                    last = instant
        if spec.matches_day(day):
            matched = datetime.combine(day, time())
            for each in times:
                waiting.update(rule.instants(clock, datetime.combine(day, each)))
        day += _DAY
