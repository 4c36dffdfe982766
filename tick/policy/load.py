"""Simulates the demand for worker slots over a time, by how long jobs usually take. Pure.

Times are whole seconds from the begin of the time that is looked at.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heapify, heapreplace
from itertools import pairwise

QUARTER, MINUTE = 900, 60


@dataclass(frozen=True)
class Part:
    """A job of a firing: it takes a slot of its queue from `after` seconds on, for `seconds`."""

    job: str
    queue: str
    after: int
    seconds: int


@dataclass(frozen=True)
class Demand:
    """A schedule's instants, and what each of them runs.

    `most` firings are unfinished at one time, by its overlap policy; None for any number.
    """

    schedule_id: str
    instants: Sequence[int]
    parts: tuple[Part, ...]
    most: int | None = 1

    @cached_property
    def seconds(self) -> int:
        """Return how long a firing takes, as if a slot were free for each job."""
        return max((part.after + part.seconds for part in self.parts), default=0)

    @cached_property
    def firings(self) -> Sequence[int]:
        """Return the instants that fire: not those at which as many as may be are unfinished."""
        most = self.most
        if most is None or all(b - a >= self.seconds for a, b in pairwise(self.instants)):
            return self.instants
        found: list[int] = []
        for at in self.instants:
            if len(found) < most or at >= found[-most] + self.seconds:
                found.append(at)
        return found

    @property
    def runs(self) -> int:
        """Return how many runs it makes."""
        return len(self.firings) * len(self.parts)

    def spans(self, serves: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
        """Yield from when to when each of its runs takes a slot of a queue that `serves` names."""
        mine = [
            (part.after, part.after + part.seconds) for part in self.parts if serves(part.queue)
        ]
        for at in self.firings:
            for begin, end in mine:
                yield at + begin, at + end


@dataclass(frozen=True)
class Pool:
    """Slots of workers. `queue` is the one that they serve; None: all of them."""

    queue: str | None
    slots: int

    def serves(self, queue: str) -> bool:
        """Return whether runs of a queue take these slots."""
        return self.queue is None or self.queue == queue


@dataclass
class Quarter:
    """A quarter of an hour: the most slots wanted at once, and how many seconds of slots in all."""

    peak: int = 0
    busy_seconds: int = 0


@dataclass
class Peak:
    """A time in which more slots are wanted than there are, and the schedules that meet in it."""

    begin: int
    end: int
    wanted: int
    wait_seconds: int = 0
    members: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Load:
    """What a pool has to bear, by quarters of an hour, and its peaks in order."""

    pool: Pool
    quarters: Sequence[Quarter]
    peaks: Sequence[Peak]
    steps: Sequence[tuple[int, int]]
    """From which second on how many slots are wanted; in order."""

    @cached_property
    def most_by_minute(self) -> Sequence[int]:
        """Return the most slots that are wanted in each minute."""
        return by_minute(self.steps, len(self.quarters) * QUARTER // MINUTE)[1]


def simulate(demands: Sequence[Demand], pool: Pool, length: int) -> Load:
    """Return what the demands ask of a pool in the first `length` seconds."""
    steps = steps_of(demands, pool)
    quarters = [Quarter() for _ in range(-(-length // QUARTER))]
    peaks: list[Peak] = []
    for (begin, wanted), (end, _) in pairwise([*steps, (length, 0)]):
        end = min(end, length)
        if begin >= end or not wanted:
            continue
        _fill(quarters, begin, end, wanted)
        if wanted > pool.slots:
            _note_peak(peaks, begin, end, wanted)
    if peaks:
        _name_members(peaks, demands, pool)
        _measure_waits(peaks, demands, pool)
    return Load(pool, quarters, peaks, steps)


def steps_of(demands: Sequence[Demand], pool: Pool) -> list[tuple[int, int]]:
    """Return from which second on how many slots are wanted, in order."""
    # A run that begins as another ends takes its slot: both fall into one step.
    changes: Counter[int] = Counter()
    for demand in demands:
        for begin, end in demand.spans(pool.serves):
            changes[begin] += 1
            changes[end] -= 1
    level, found = 0, []
    for at in sorted(changes):
        level += changes[at]
        found.append((at, level))
    return found


def by_minute(steps: Sequence[tuple[int, int]], minutes: int) -> tuple[list[int], list[int]]:
    """Return the least and the most slots that are wanted in each minute."""
    most = [0] * minutes
    least: list[int | None] = [None] * minutes
    whole = [(0, 0), *steps, (minutes * MINUTE, 0)]
    for (begin, wanted), (end, _) in pairwise(whole):
        for minute in range(begin // MINUTE, min(-(-end // MINUTE), minutes)):
            most[minute] = max(most[minute], wanted)
            seen = least[minute]
            least[minute] = wanted if seen is None else min(seen, wanted)
    return [each or 0 for each in least], most


def _fill(quarters: Sequence[Quarter], begin: int, end: int, wanted: int) -> None:
    for number in range(begin // QUARTER, -(-end // QUARTER)):
        quarter, start = quarters[number], number * QUARTER
        quarter.peak = max(quarter.peak, wanted)
        quarter.busy_seconds += wanted * (min(end, start + QUARTER) - max(begin, start))


def _note_peak(peaks: list[Peak], begin: int, end: int, wanted: int) -> None:
    # What is full, free for a moment and full again is one peak to whoever looks at it.
    if peaks and begin - peaks[-1].end < MINUTE:
        peaks[-1].end, peaks[-1].wanted = end, max(peaks[-1].wanted, wanted)
    else:
        peaks.append(Peak(begin, end, wanted))


def _name_members(peaks: Sequence[Peak], demands: Sequence[Demand], pool: Pool) -> None:
    begins, ends = [peak.begin for peak in peaks], [peak.end for peak in peaks]
    for demand in demands:
        touched: set[int] = set()
        for begin, end in demand.spans(pool.serves):
            touched.update(range(bisect_right(ends, begin), bisect_left(begins, end)))
        for number in touched:
            peaks[number].members.add(demand.schedule_id)


def _measure_waits(peaks: Sequence[Peak], demands: Sequence[Demand], pool: Pool) -> None:
    """Note how long the run that has to wait longest waits in each peak: first come, first run."""
    if not pool.slots:
        return
    spans = sorted(span for demand in demands for span in demand.spans(pool.serves))
    begins = [peak.begin for peak in peaks]
    free_at = [0] * pool.slots
    heapify(free_at)
    for begin, end in spans:
        start = max(begin, free_at[0])
        heapreplace(free_at, start + end - begin)
        if start > begin and (number := bisect_right(begins, begin) - 1) >= 0:
            peaks[number].wait_seconds = max(peaks[number].wait_seconds, start - begin)
