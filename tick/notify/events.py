"""What happened to occurrences, for machines: webhooks hear of each end, ping URLs of theirs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from tick.notify.channels import Channel, ping_channel
from tick.notify.inputs import Facts, Told
from tick.notify.notifications import FAILED, FINISHED, NOT_FIRED, STARTED, SUCCEEDED
from tick.notify.outbox import Owed, drop
from tick.states import ENDED_OUTCOMES, OccurrenceKind, Outcome, RunStatus
from tick.store.tables import alert_delivery, job_log, job_run

MOST_RUNS_TOLD = 100
LOG_LINES = 50
MOST_TEXT = 10_000
_d, _l, _r = alert_delivery.c, job_log.c, job_run.c
_INSTANTS = ("scheduled_for", "scheduled_until", "first_started_at", "last_finished_at")


def find_started(connection: sa.Connection, facts: Facts) -> list[Owed]:
    """Starts that the ping URLs of their schedules have not been told of."""
    pinged = [told for told in facts.live if told.ping_url and told.row.first_started_at]
    owed = {_key(told, STARTED): told for told in pinged}
    known = sa.select(_d.key).where(_d.key.in_(list(owed)))
    for key in connection.execute(known).scalars() if owed else ():
        del owed[key]
    return [_ping(told, STARTED, facts) for told in owed.values()]


def find_ended(
    connection: sa.Connection, channels: Iterable[Channel], facts: Facts
) -> Iterator[Owed]:
    """What webhooks and ping URLs are to hear of the occurrences that ended."""
    hooks = [channel.id for channel in channels if channel.takes_events]
    for told in facts.ended:
        if hooks:
            event = FINISHED if told.row.outcome in ENDED_OUTCOMES else NOT_FIRED
            payload = _payload(connection, told)
            for hook in hooks:
                key = f"occurrence:{told.row.id}:{_end(told)}:{hook}"
                yield Owed(key, hook, event, facts.now, payload=payload)
        if _counts(told):
            which = FAILED if told.row.outcome == Outcome.FAILED else SUCCEEDED
            text = _last_words(connection, told) if which == FAILED else ""
            yield _ping(told, which, facts, text)


def drop_starts(connection: sa.Connection, facts: Facts) -> None:
    """A start that was not told by the time of the end would only confuse."""
    keys = [_key(told, STARTED) for told in facts.ended if _counts(told)]
    if keys:
        drop(connection, facts.now, _d.key.in_(keys))


def _counts(told: Told) -> bool:
    """Whether a dead-man's switch hears of it: a manual success must not hide a missed night."""
    is_scheduled = told.row.kind != OccurrenceKind.MANUAL
    return bool(told.ping_url) and is_scheduled and told.row.outcome in ENDED_OUTCOMES


def _ping(told: Told, which: str, facts: Facts, text: str = "") -> Owed:
    payload = {"ping_url": told.ping_url, "text": text}
    channel = ping_channel(told.row.schedule_id)
    return Owed(_key(told, which), channel, which, facts.now, payload=payload)


def _key(told: Told, which: str) -> str:
    end = "" if which == STARTED else _end(told)
    return f"occurrence:{told.row.id}:{which}:{end}:{ping_channel(told.row.schedule_id)}"


def _end(told: Told) -> str:
    """Which end of an occurrence this is: an operator's retry lets it end once more."""
    at = told.row.last_finished_at or told.row.decided_at
    return f"{at:%Y%m%dT%H%M%S%f}"


def _payload(connection: sa.Connection, told: Told) -> dict[str, Any]:
    row = told.row
    return {
        "occurrence_id": row.id,
        "schedule_id": row.schedule_id,
        "name": told.name,
        "kind": row.kind,
        "outcome": row.outcome,
        "reason": row.reason,
        "instants": row._mapping["count"],
        **{name: _iso(getattr(row, name)) for name in _INSTANTS},
        "runs": _runs(connection, row.id) if row.runs else [],
    }


def _runs(connection: sa.Connection, occurrence_id: int) -> Sequence[dict[str, Any]]:
    rows = connection.execute(
        sa.select(_r.id, _r.job_name, _r.status, _r.attempt, _r.error_type, _r.error_message)
        .where(_r.occurrence_id == occurrence_id)
        .order_by(_r.id)
        .limit(MOST_RUNS_TOLD)
    )
    return [dict(row._mapping) for row in rows]


def _last_words(connection: sa.Connection, told: Told) -> str:
    """The end of what the first failed run logged, and its error."""
    run = connection.execute(
        sa.select(_r.id, _r.job_name, _r.error_type, _r.error_message)
        .where(_r.occurrence_id == told.row.id, _r.status == RunStatus.FAILED)
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
    said = [f"{line.level}: {line.message}" for line in reversed(lines)]
    said.append(f"{run.job_name} failed: {run.error_type}: {run.error_message}")
    return "\n".join(said)[-MOST_TEXT:]


def _iso(at: Any) -> str | None:
    return None if at is None else str(at.isoformat())
