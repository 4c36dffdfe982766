"""What the limits of a schedule ask for when its occurrences end: room for others, or a pause.

Called while the schedule is locked, in the transaction that settles them. A schedule without such
limits costs nothing here: `LIMITED_RULE` is null for it, and is read with the lock.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger.audit import SYSTEM, Act
from tick.engine.ledger.backfills import in_the_way, is_of_backfill
from tick.engine.runs.wake_workers import announce_ready
from tick.policy.rule import RULE_FORMAT, Rule
from tick.states import LIVE_OUTCOMES, OccurrenceKind, Outcome, ScheduleState
from tick.store.sql import AnyRow, literal_state
from tick.store.tables import job_schedule, occurrence, schedule_version

_o, _s, _v = occurrence.c, job_schedule.c, schedule_version.c
_JUDGED = (Outcome.SUCCESS, Outcome.PARTIAL, Outcome.FAILED)
"""What goes on or ends a row of failures; a cancelled firing does neither."""
LIMITED_RULE = (
    sa.select(_v.rule)
    .where(_v.id == _s.version_id, _v.rule_format.between(3, RULE_FORMAT))
    .correlate(job_schedule)
    .scalar_subquery()
    .label("limited_rule")
)
"""The rule of a schedule that may have limits; null for most."""


def heed_limits(
    connection: sa.Connection, rules: Mapping[str, Rule], settled: Collection[AnyRow], now: datetime
) -> None:
    """Do what the rules of the schedules ask for, of which these occurrences have just ended."""
    for schedule_id, rule in sorted(rules.items()):
        ended = [row for row in settled if row.schedule_id == schedule_id]
        if rule.max_concurrent > 1 and ended:
            _make_room(connection, schedule_id, rule.max_concurrent, ended[-1].id)
        if rule.pause_after is not None and any(row.outcome == Outcome.FAILED for row in ended):
            _pause_if_failing(connection, schedule_id, rule.pause_after, now)


def _make_room(connection: sa.Connection, schedule_id: str, most: int, ended: int) -> None:
    """Let as many of those that wait begin as there is room for, the oldest first."""
    # Each waits for the one that it was queued behind, and another may have ended before that.
    live = connection.execute(_LIVE, {"schedule": schedule_id}).all()
    unfinished = {row.id for row in live}
    waiting = [row for row in live if row.blocked_by_id in unfinished]
    room = most - (len(live) - len(waiting))
    own = [row for row in waiting if not is_of_backfill(row.tick_id)]
    for row in own[: max(room, 0)]:
        moved = {"row": row.id, "before": row.blocked_by_id, "after": ended}
        if connection.execute(_GOES_ON_AFTER, moved).rowcount:
            announce_ready(connection)


def _pause_if_failing(
    connection: sa.Connection, schedule_id: str, most: int, now: datetime
) -> None:
    """Pause the schedule if its last firings all failed, since a person last resumed it."""
    last = connection.execute(_LAST, {"schedule": schedule_id, "most": most}).all()
    if not is_failing(last, most):
        return
    failed = "its last firing" if most == 1 else f"its last {most} firings"
    reason = f"{failed} failed, after which it pauses itself"
    paused = connection.execute(_PAUSE, {"schedule": schedule_id, "why": reason, "now": now})
    # Somebody may have switched it off meanwhile: then it fires no more anyway.
    if paused.rowcount:
        Act(now, SYSTEM).record(
            connection,
            "schedule.pause",
            schedule_id,
            before={"state": ScheduleState.ACTIVE},
            after={"state": ScheduleState.PAUSED, "failures": most},
            reason=reason,
        )


def is_failing(last: Sequence[AnyRow], most: int) -> bool:
    """Whether these are `most` firings that failed, all since the state last changed."""
    return len(last) == most and all(
        row.outcome == Outcome.FAILED and (row.state_at is None or row.decided_at > row.state_at)
        for row in last
    )


_ITS = _o.schedule_id == sa.bindparam("schedule")
_LIVE = sa.select(_o.id, _o.blocked_by_id, _o.tick_id).where(_ITS, *in_the_way()).order_by(_o.id)
_GOES_ON_AFTER = (
    sa.update(occurrence)
    .where(
        _o.id == sa.bindparam("row"),
        _o.blocked_by_id == sa.bindparam("before"),
        literal_state(_o.outcome, *LIVE_OUTCOMES),
    )
    .values(blocked_by_id=sa.bindparam("after"))
)
# What a person asked for (by hand, a replay, a backfill) neither counts nor ends the row.
_LAST = (
    sa.select(_o.outcome, _o.decided_at, _s.state_at)
    .join_from(occurrence, job_schedule, _s.id == _o.schedule_id)
    .where(
        _ITS,
        _o.outcome.in_(_JUDGED),
        _o.triggered_by.is_(None),
        _o.kind.not_in((OccurrenceKind.MANUAL, OccurrenceKind.BACKFILL)),
    )
    .order_by(_o.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_PAUSE = (
    sa.update(job_schedule)
    .where(_s.id == sa.bindparam("schedule"), _s.enabled, _s.state == ScheduleState.ACTIVE)
    .values(
        state=ScheduleState.PAUSED,
        state_reason=sa.bindparam("why"),
        state_by=SYSTEM.name,
        state_at=sa.bindparam("now", type_=_s.state_at.type),
        state_until=None,
        next_run_at=None,
        updated_at=sa.bindparam("now", type_=_s.state_at.type),
    )
)
