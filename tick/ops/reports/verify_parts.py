"""A proof of a long time, part by part: each is bounded, and says where the next one begins."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.ops.reports.verify import MOST_LISTED, Proof, verify
from tick.policy.instants import just_before
from tick.store.database import Database
from tick.store.tables import job_schedule, occurrence, schedule_version
from tick.utc import utc

_o, _s = occurrence.c, job_schedule.c
# A part is one request, which something in between gives up on; eight days hold a week, whatever
# its clocks do.
PART = timedelta(days=8)


class ProofPart(Proof):
    """The proof of a part, up to `end`; the whole holds when every part does."""

    next: str | None = Field(description="where the proof goes on; null at its end")


def prove_part(database: Database, start: datetime, end: datetime) -> tuple[Proof, datetime | None]:
    """Prove the first PART of (start, end]; return the proof and where the next part begins."""
    start, end = utc(start, "the start"), utc(end, "the end")
    stop: datetime = min(end, start + PART)
    if stop < end:  # where there is nothing to prove, a part reaches further
        stop = _reach(database, stop, end)
    found = verify(database, start, stop)
    # What was pruned can't be proven: parts that lie there are passed over.
    onward = max(stop, min(found.pruned_to or stop, end))
    return found, onward if onward < end else None


def _reach(database: Database, stop: datetime, end: datetime) -> datetime:
    """Return how far beyond `stop` no schedule was known and nothing was run by hand."""
    with database.read.connect() as connection:
        first = connection.execute(sa.select(sa.func.min(schedule_version.c.since))).scalar()
        known = min(first or end, end)
        if known <= stop:
            return stop
        first_of_each = _first_instant_of_each(stop, known)
        found = [at for at in connection.execute(first_of_each).scalars() if at is not None]
    return max(stop, just_before(min(found))) if found else known


def _first_instant_of_each(stop: datetime, known: datetime) -> sa.CompoundSelect[Any]:
    """Select the first instant in (stop, known] of each schedule, and of firings by hand."""
    its, by_hand = _o.scheduled_for, _o.decided_at
    first = sa.select(sa.func.min(its)).where(_o.schedule_id == _s.id, its > stop, its <= known)
    return sa.union_all(
        sa.select(first.correlate(job_schedule).scalar_subquery()).select_from(job_schedule),
        sa.select(sa.func.min(by_hand)).where(its.is_(None), by_hand > stop, by_hand <= known),
    )


def join_parts(parts: Sequence[Proof]) -> Proof:
    """Join the proofs of parts that come in order and without a gap between them."""
    whole = [part for part in parts if part.start < part.end] or parts[-1:]
    # What lies across the border of two parts is found by both.
    violations = dict.fromkeys(item for part in parts for item in part.violations)
    outcomes: Counter[str] = Counter()
    for part in parts:
        outcomes.update(part.outcomes)
    return Proof(
        ok=not violations,
        start=whole[0].start,
        end=parts[-1].end,
        pruned_to=parts[-1].pruned_to,
        schedules=parts[-1].schedules,
        instants=sum(part.instants for part in parts),
        outcomes=outcomes,
        waiting=sum(part.waiting for part in parts),
        off=sum(part.off for part in parts),
        violations=tuple(violations)[:MOST_LISTED],
    )
