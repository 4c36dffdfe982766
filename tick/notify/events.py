"""Events of occurrences: for webhooks each end, for ping URLs the starts and ends of a schedule."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from tick.notify.channels import Channel, ping_channel
from tick.notify.inputs import AlertInputs, OccurrenceContext
from tick.notify.messages import FAILED, FINISHED, NOT_FIRED, STARTED, SUCCEEDED
from tick.notify.outbox import PendingDelivery, drop
from tick.states import ENDED_OUTCOMES, OccurrenceKind, Outcome, RunStatus
from tick.store.tables import alert_delivery, job_log, job_run

MAX_RUNS = 100
LOG_LINES = 50
MOST_TEXT = 10_000
_d, _l, _r = alert_delivery.c, job_log.c, job_run.c
_INSTANTS = ("scheduled_for", "scheduled_until", "first_started_at", "last_finished_at")


def find_started(connection: sa.Connection, inputs: AlertInputs) -> list[PendingDelivery]:
    """Return deliveries of starts to ping URLs that have none yet."""
    pinged = [c for c in inputs.live if c.ping_url and c.row.first_started_at]
    pending = [_ping(context, STARTED, inputs) for context in pinged]
    known = sa.select(_d.key).where(_d.key.in_([start.key for start in pending]))
    old = set(connection.execute(known).scalars()) if pending else set()
    return [start for start in pending if start.key not in old]


def find_ended(
    connection: sa.Connection, channels: Iterable[Channel], inputs: AlertInputs
) -> Iterator[PendingDelivery]:
    """Yield deliveries of ended occurrences to webhooks and ping URLs."""
    hooks = [channel.id for channel in channels if channel.accepts_events]
    for context in inputs.ended:
        if hooks:
            event = FINISHED if context.row.outcome in ENDED_OUTCOMES else NOT_FIRED
            payload = _payload(connection, context)
            for hook in hooks:
                key = f"occurrence:{context.row.id}:{_end(context)}:{hook}"
                yield PendingDelivery(key, hook, event, inputs.now, payload=payload)
        if _counts(context):
            which = FAILED if context.row.outcome == Outcome.FAILED else SUCCEEDED
            text = _final_output(connection, context) if which == FAILED else ""
            yield _ping(context, which, inputs, text)


def drop_starts(connection: sa.Connection, inputs: AlertInputs) -> None:
    """Drop starts that are still unsent when their occurrence ends."""
    keys = [_key(context, STARTED) for context in inputs.ended if _counts(context)]
    if keys:
        drop(connection, inputs.now, _d.key.in_(keys))


def _counts(context: OccurrenceContext) -> bool:
    """Return whether the ping URL gets the end of this occurrence."""
    # A manual success must not hide a missed night.
    is_scheduled = context.row.kind != OccurrenceKind.MANUAL
    return bool(context.ping_url) and is_scheduled and context.row.outcome in ENDED_OUTCOMES


def _ping(
    context: OccurrenceContext, which: str, inputs: AlertInputs, text: str = ""
) -> PendingDelivery:
    payload = {"ping_url": context.ping_url, "text": text}
    channel = ping_channel(context.row.schedule_id)
    return PendingDelivery(_key(context, which), channel, which, inputs.now, payload=payload)


def _key(context: OccurrenceContext, which: str) -> str:
    end = "" if which == STARTED else _end(context)
    return f"occurrence:{context.row.id}:{which}:{end}:{ping_channel(context.row.schedule_id)}"


def _end(context: OccurrenceContext) -> str:
    """Return the instant of the end as text."""
    # It is part of the key: an occurrence ends again after an operator's retry, and that is told.
    at = context.row.last_finished_at or context.row.decided_at
    return f"{at:%Y%m%dT%H%M%S%f}"


def _payload(connection: sa.Connection, context: OccurrenceContext) -> dict[str, Any]:
    row = context.row
    return {
        "occurrence_id": row.id,
        "schedule_id": row.schedule_id,
        "name": context.name,
        "kind": row.kind,
        "outcome": row.outcome,
        "reason": row.reason,
        "instants": row._mapping["count"],
        **{name: (at := getattr(row, name)) and at.isoformat() for name in _INSTANTS},
        "runs": _runs(connection, row.id) if row.runs else [],
    }


def _runs(connection: sa.Connection, occurrence_id: int) -> Sequence[dict[str, Any]]:
    rows = connection.execute(
        sa.select(_r.id, _r.job_name, _r.status, _r.attempt, _r.error_type, _r.error_message)
        .where(_r.occurrence_id == occurrence_id)
        .order_by(_r.id)
        .limit(MAX_RUNS)
    )
    return [dict(row._mapping) for row in rows]


def _final_output(connection: sa.Connection, context: OccurrenceContext) -> str:
    """Return the last log lines of the first failed run, and its error."""
    run = connection.execute(
        sa.select(_r.id, _r.job_name, _r.error_type, _r.error_message)
        .where(_r.occurrence_id == context.row.id, _r.status == RunStatus.FAILED)
        .order_by(_r.id)
        .limit(1)
    ).first()
    if run is None:
        return ""
    lines = connection.execute(
        sa.select(_l.level, _l.message)
        .where(_l.run_id == run.id)
        .order_by(_l.id.desc())
        .limit(LOG_LINES)
    ).all()
    output = [f"{line.level}: {line.message}" for line in reversed(lines)]
    output.append(f"{run.job_name} failed: {run.error_type}: {run.error_message}")
    # Its end says why the run failed.
    return "\n".join(output)[-MOST_TEXT:]
