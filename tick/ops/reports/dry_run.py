"""A preview of the next tick: the real one decides, and all of it is taken back at once."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from tick.engine.firing.claim_schedules import TickClaim, any_due, due_ids
from tick.engine.firing.fire import fire_due
from tick.engine.ledger.rows import OccurrenceLine, list_occurrences
from tick.engine.ledger.tick_log import learned_tick_seconds
from tick.engine.ledger.zones import read_zone_data_status
from tick.engine.schedules.pause import any_pause_over, end_pauses
from tick.ops.schemas import Schema
from tick.settings import Settings
from tick.states import Outcome
from tick.store.database import Database, short_error

MOST_SCHEDULES = 200
_AT_IT = "another tick is deciding it at this moment"


class Decision(Schema):
    """What a tick would write for one instant, or for `count` instants from it on."""

    schedule_id: str
    scheduled_for: datetime
    count: int
    outcome: Outcome = Field(description="QUEUED means: it fires")
    reason: str | None
    late_seconds: float | None
    runs: int


class TickPreview(Schema):
    """What a tick would decide at this moment. Nothing of it is written."""

    now: datetime
    lines: tuple[Decision, ...]
    runs: int = Field(description="how many runs there would be to do")
    pauses_over: int = Field(description="how many pauses it would end")
    errors: dict[str, str] = Field(description="by schedule, why it could not be decided")
    more: bool = Field(description="more schedules are due than were looked at")


def dry_run(database: Database, settings: Settings, now: datetime) -> TickPreview:
    """Return the ledger rows that `tick(now)` would write; nothing of it stays, nothing is run.

    While it looks, a tick on PostgreSQL passes the schedules over, and one on SQLite waits.
    """
    with database.read.connect() as connection:
        zones = read_zone_data_status(connection).usable
        if not any_due(connection, now, zones) and not any_pause_over(connection, now):
            return _preview(now)
        tick_seconds = learned_tick_seconds(connection)
    tick_id = f"dry-run-{secrets.token_hex(8)}"
    with database.write.connect() as connection, connection.begin() as transaction:
        pauses_over = end_pauses(connection, now, MOST_SCHEDULES)
        waiting = due_ids(connection, now, MOST_SCHEDULES + 1, zones)
        decision = TickClaim(tick_id, tick_id, now, zones)
        errors = _decide(connection, waiting[:MOST_SCHEDULES], settings, decision, tick_seconds)
        lines = list_occurrences(connection, tick_id, limit=2 * MOST_SCHEDULES)
        # The real decision was written; taking it back is what makes it a preview.
        transaction.rollback()
    return _preview(now, lines, pauses_over, errors, len(waiting) > MOST_SCHEDULES)


def _preview(
    now: datetime,
    lines: Sequence[OccurrenceLine] = (),
    pauses_over: int = 0,
    errors: Mapping[str, str] | None = None,
    more: bool = False,
) -> TickPreview:
    return TickPreview(
        now=now,
        lines=tuple(map(Decision.model_validate, lines)),
        runs=sum(line.runs for line in lines),
        pauses_over=pauses_over,
        errors=dict(errors or {}),
        more=more,
    )


def _decide(
    connection: sa.Connection,
    schedule_ids: Iterable[str],
    settings: Settings,
    decision: TickClaim,
    tick_seconds: float,
) -> dict[str, str]:
    """Decide schedule by schedule; return the errors by schedule."""
    errors: dict[str, str] = {}
    left = settings.max_runs_per_tick
    for number, schedule_id in enumerate(schedule_ids):
        try:
            # A savepoint each: one that fails must not hide what the others would do.
            with connection.begin_nested():
                fired = fire_due(
                    connection,
                    replace(decision, claim_id=f"{decision.tick_id[:24]}.{number}"),
                    limit=1,
                    tick_seconds=tick_seconds,
                    most_runs=left,
                    only=schedule_id,
                )
        except Exception as error:
            errors[schedule_id] = short_error(error)
            continue
        left -= fired.runs  # the limit of a tick is for all its schedules together
        if not fired.schedules:  # it was due, and is locked
            errors[schedule_id] = _AT_IT
    return errors
