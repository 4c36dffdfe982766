"""The proof of a move: the instants of both sides over a span, each that differs marked. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from tick.cron.dialects import Dialect
from tick.cron.dialects.by_day import (
    Run,
    Span,
    on_settled_day,
    ours_around,
    theirs_around,
)
from tick.cron.dialects.plain_days import plain
from tick.cron.dialects.times import dialect_times
from tick.cron.grammar import parse
from tick.importers.timing import Ours

MOST_LINES = 200
PROOF_DAYS = 400


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant (aware UTC), and which sides have it."""

    at: datetime
    there: bool
    here: bool

    @property
    def differs(self) -> bool:
        """Whether only one side has it."""
        return self.there != self.here


@dataclass(frozen=True, slots=True)
class Proof:
    """How many instants each side has in (start, end], and which differ.

    `lines` are at most MOST_LINES of them, in order: those that differ, and as many of the others
    as there is room for.
    """

    start: datetime
    end: datetime
    there: int
    here: int
    differing: int
    lines: list[Instant] = field(default_factory=list)

    @property
    def untold(self) -> int:
        """How many instants the lines leave out."""
        return (self.there + self.here + self.differing) // 2 - len(self.lines)


def prove(engine: Dialect, expression: str, ours: Ours, span: Span) -> Proof:
    """Return the instants of an engine beside those of our rule."""
    there = here = differing = 0
    marked: list[Instant] = []
    equal: list[Instant] = []
    for theirs, our in _by_day(engine, expression, ours, span):
        there, here = there + len(theirs), here + len(our)
        if theirs == our and len(equal) >= MOST_LINES:
            continue
        mine, yours = set(our), set(theirs)
        differing += len(mine ^ yours)
        for at in sorted(mine | yours):
            each = Instant(at.replace(tzinfo=UTC), at in yours, at in mine)
            into = marked if each.differs else equal
            if len(into) < MOST_LINES:
                into.append(each)
    lines = [*marked, *equal[: MOST_LINES - len(marked)]]
    lines.sort(key=lambda each: each.at)
    return Proof(span.start, span.end, there, here, differing, lines)


def _by_day(
    engine: Dialect, expression: str, ours: Ours, span: Span
) -> Iterator[tuple[list[datetime], list[datetime]]]:
    """Yield the instants of both sides, of each clock change and each other day."""
    theirs = plain(engine.parse(expression))
    runs = span.runs(theirs)
    for run in runs:
        yield list(theirs_around(engine, expression, span, run)), _ours_around(ours, span, run)
    our = theirs if ours.dialect else plain(parse(ours.cron))
    for day in span.settled(runs):
        yield on_settled_day(theirs, span, day), on_settled_day(our, span, day)


def _ours_around(ours: Ours, span: Span, run: Run) -> list[datetime]:
    if ours.dialect is None:
        return ours_around(ours.cron, ours.dst, span, run)
    times = dialect_times(ours.dialect, ours.cron, span.zone)
    first, end = span.bounds(run)
    found = takewhile(lambda each: each < end, times.after(first - timedelta(seconds=1)))
    start, stop = (each.replace(tzinfo=None) for each in (span.start, span.end))
    return [each for each in found if start < each <= stop]
