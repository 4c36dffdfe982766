"""Rates and quantiles out of sums of hours. Lengths are seconds. Pure."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from tick.engine.statistics.count import Sums
from tick.ops.schemas import Schema
from tick.policy.histogram import (
    LATE_BOUNDS,
    ON_TIME_SECONDS,
    TOOK_BOUNDS,
    WAITED_BOUNDS,
    count_up_to,
    is_beyond,
    quantile,
)


class Lengths(Schema):
    """How long things took: how many, and seconds. Null where there were none."""

    count: int
    mean: float | None
    p50: float | None
    p95: float | None
    exact: bool = Field(default=False, description="else p50 and p95 are estimated from buckets")
    p50_is_over: bool = Field(default=False, description="it is longer than the p50 given here")
    p95_is_over: bool = Field(default=False, description="it is longer than the p95 given here")

    def hedge(self, part: Literal["p50", "p95"]) -> str:
        """Return the hedge before the value: nothing, `≈ ` or `over `."""
        if getattr(self, part) is None or self.exact:
            return ""
        return "over " if getattr(self, f"{part}_is_over") else "≈ "


class RunFigures(Schema):
    """What became of runs."""

    succeeded: int
    failed: int
    cancelled: int
    skipped: int
    success_rate: float | None = Field(description="of those that succeeded or failed; 0 to 1")
    took: Lengths
    waited: Lengths = Field(description="ready to run, and not begun")
    lost_seconds: float = Field(description="spent in runs that failed")


class FiringFigures(Schema):
    """What became of instants."""

    succeeded: int = Field(description="in full, or with failures declared tolerable")
    failed: int
    cancelled: int
    on_time: int = Field(description=f"fired within {ON_TIME_SECONDS:.0f} s")
    delayed: int = Field(description="fired later than that")
    missed: int = Field(description="not fired: missed, held, or firing failed")
    overlapped: int = Field(description="not fired: the one before had not finished")
    left_out: int = Field(description="not fired: coalesced, paused, disabled or blacked out")
    success_rate: float | None = Field(description="of those that succeeded or failed; 0 to 1")
    on_time_rate: float | None = Field(description="of those on time, delayed or missed; 0 to 1")
    took: Lengths
    late: Lengths = Field(description="from the nominal instant to the firing")

    @property
    def fired(self) -> int:
        """Return how many firings came to their end."""
        return self.succeeded + self.failed + self.cancelled


def run_figures(sums: Sums) -> RunFigures:
    """Return the figures in sums of run_hour."""
    succeeded, failed = int(sums["succeeded"]), int(sums["failed"])
    return RunFigures(
        succeeded=succeeded,
        failed=failed,
        cancelled=int(sums["cancelled"]),
        skipped=int(sums["skipped"]),
        success_rate=_part(succeeded, failed),
        took=lengths(sums, "took", TOOK_BOUNDS),
        waited=lengths(sums, "waited", WAITED_BOUNDS),
        lost_seconds=sums["lost_seconds"],
    )


def firing_figures(sums: Sums) -> FiringFigures:
    """Return the figures in sums of occurrence_hour."""
    late = bucket_counts(sums, "late", LATE_BOUNDS)
    on_time = count_up_to(late, LATE_BOUNDS, ON_TIME_SECONDS)
    succeeded, failed = int(sums["success"] + sums["partial"]), int(sums["failed"])
    delayed, missed = sum(late) - on_time, _several(sums, "missed", "held", "fire_failed")
    return FiringFigures(
        succeeded=succeeded,
        failed=failed,
        cancelled=int(sums["cancelled"]),
        on_time=on_time,
        delayed=delayed,
        missed=missed,
        overlapped=int(sums["skipped_overlap"]),
        left_out=_several(sums, "coalesced", "suppressed", "blackout"),
        success_rate=_part(succeeded, failed),
        on_time_rate=_part(on_time, delayed + missed),
        took=lengths(sums, "took", TOOK_BOUNDS),
        late=lengths(sums, "late", LATE_BOUNDS),
    )


def bucket_counts(sums: Sums, kind: str, bounds: Sequence[float]) -> list[int]:
    """Return a histogram: a count for each bound, and one beyond the last."""
    return [int(sums[f"{kind}_{number}"]) for number in range(len(bounds) + 1)]


def lengths(sums: Sums, kind: str, bounds: Sequence[float]) -> Lengths:
    """Return the lengths of a kind: `took`, `waited` or `late`."""
    counts = bucket_counts(sums, kind, bounds)
    total = sum(counts)
    mean = sums[f"{kind}_seconds"] / total if total else None
    if total == 1:  # the sum is the value itself, which no bucket tells
        return Lengths(count=1, mean=mean, p50=mean, p95=mean, exact=True)
    return Lengths(
        count=total,
        mean=mean,
        p50=quantile(counts, bounds, 0.5),
        p95=quantile(counts, bounds, 0.95),
        p50_is_over=is_beyond(counts, 0.5),
        p95_is_over=is_beyond(counts, 0.95),
    )


def _several(sums: Sums, *columns: str) -> int:
    return int(sum(sums[column] for column in columns))


def _part(good: int, bad: int) -> float | None:
    return good / (good + bad) if good + bad else None
