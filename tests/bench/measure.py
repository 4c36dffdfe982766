"""What a benchmark hands back, and the alternation that makes its two sides comparable."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

from tests.bench.sides import Pace


@dataclass(frozen=True)
class Options:
    """How much to measure; `rows` takes the place of each benchmark's own numbers of rows."""

    repeats: int = 7
    rows: int | None = None


@dataclass
class Measurement:
    """Seconds of ours and of what stands beside it (`raw`: hand-made SQL, or another system).

    They are pairs of one round; at most one of the goals is set.
    """

    name: str
    database: str
    rows: int
    ours: list[float] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)
    goal_ratio: float | None = None
    goal_seconds: float | None = None

    @property
    def ratio(self) -> float:
        """Ours to hand-made: the median of the pairs, so that a slow minute falls out."""
        return median(ours / raw for ours, raw in zip(self.ours, self.raw, strict=True))

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        if self.goal_seconds is not None:
            return median(self.ours) <= self.goal_seconds
        return self.goal_ratio is None or self.ratio <= self.goal_ratio

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return vars(self) | {
            "ours_median": median(self.ours),
            "raw_median": median(self.raw),
            "ratio": self.ratio,
            "reached": self.reached,
        }


@dataclass(frozen=True)
class Throughput:
    """The paces of one way to execute no-ops, one a round, beside others' of the same rounds."""

    name: str
    database: str
    paces: list[Pace]
    beside: dict[str, list[Pace]]

    def rates(self) -> list[float]:
        """Jobs a second, one figure a round."""
        return [1 / pace.clock for pace in self.paces]

    def times(self, other: str) -> float | None:
        """How many times as fast as another one: the median of the rounds."""
        pairs = zip(self.paces, self.beside.get(other, ()), strict=False)
        ratios = [theirs.clock / ours.clock for ours, theirs in pairs]
        return median(ratios) if ratios else None

    def microseconds(self) -> tuple[float, float | None]:
        """The processor's time for a job: of the worker with its children, of the database."""
        worker = 1e6 * median(pace.worker for pace in self.paces)
        spent = [pace.database for pace in self.paces if pace.database is not None]
        return worker, 1e6 * median(spent) if spent else None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "database": self.database,
            "paces": [vars(pace) for pace in self.paces],
            "rate": median(self.rates()),
            "times": {name: self.times(name) for name in self.beside},
        }


def alternate(
    measurement: Measurement,
    repeats: int,
    *,
    prepare: Callable[[], object],
    ours: Callable[[], object],
    raw: Callable[[], object],
) -> Measurement:
    """Run both sides in turn, `repeats` times each, every time after `prepare`.

    A first round of each warms caches and is not counted.
    """
    sides = [(measurement.ours, ours), (measurement.raw, raw)]
    for turn in range(repeats + 1):
        for seconds, act in sides if turn % 2 else reversed(sides):
            prepare()
            took = _timed(act)
            if turn:
                seconds.append(took)
    return measurement


def _timed(act: Callable[[], object]) -> float:
    gc.collect()
    started = perf_counter()
    act()
    return perf_counter() - started
