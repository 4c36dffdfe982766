"""What a benchmark hands back, and the alternation that makes its two sides comparable."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any


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
