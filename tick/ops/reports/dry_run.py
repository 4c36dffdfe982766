"""What a tick would do now: the real one decides, and all of it is taken back at once."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import TickClaim, any_due, due_ids
from tick.engine.firing.fire import fire_due
from tick.engine.ledger.rows import OccurrenceLine, list_occurrences
from tick.engine.ledger.tick_log import learned_tick_seconds
from tick.engine.ledger.zones import read_zone_data_status
from tick.engine.schedules.pause import any_pause_over, end_pauses
from tick.settings import Settings
from tick.store.database import Database, short_error

MOST_SCHEDULES = 200
_AT_IT = "another tick is deciding it at this moment"


@dataclass(frozen=True)
class DryRun:
    """The ledger rows that a tick at `now` would write, for the schedules that are due then.

    `more`: that many more than MOST_SCHEDULES are due that they were not looked at. `errors` maps
    the id of a schedule that could not be decided to the reason. Ids of rows are not to be kept:
    nothing has them.
    """

    now: datetime
    lines: tuple[OccurrenceLine, ...] = ()
    pauses_over: int = 0
    errors: Mapping[str, str] = field(default_factory=dict)
    more: bool = False

    @property
    def runs(self) -> int:
        """How many runs there would be to do."""
        return sum(line.runs for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "now": self.now.isoformat(),
            "lines": [line.as_dict() for line in self.lines],
            "runs": self.runs,
            "pauses_over": self.pauses_over,
            "errors": dict(self.errors),
            "more": self.more,
        }


def dry_run(database: Database, settings: Settings, now: datetime) -> DryRun:
    """What `tick(now)` would decide; nothing of it stays, and nothing is run.

    Each schedule is tried by itself, so that one that fails does not hide the others. While it
    looks, a tick on PostgreSQL passes the schedules over, and one on SQLite waits.
    """
    with database.read.connect() as connection:
        zones = read_zone_data_status(connection).usable
        if not any_due(connection, now, zones) and not any_pause_over(connection, now):
            return DryRun(now)
        tick_seconds = learned_tick_seconds(connection)
    tick_id = f"dry-run-{secrets.token_hex(8)}"
    with database.write.connect() as connection, connection.begin() as transaction:
        pauses_over = end_pauses(connection, now, MOST_SCHEDULES)
        waiting = due_ids(connection, now, MOST_SCHEDULES + 1, zones)
        decision = TickClaim(tick_id, tick_id, now, zones)
        errors = _decide(connection, waiting[:MOST_SCHEDULES], settings, decision, tick_seconds)
        lines = list_occurrences(connection, tick_id, limit=2 * MOST_SCHEDULES)
        transaction.rollback()
    return DryRun(now, tuple(lines), pauses_over, errors, len(waiting) > MOST_SCHEDULES)


def _decide(
    connection: sa.Connection,
    schedule_ids: Iterable[str],
    settings: Settings,
    decision: TickClaim,
    tick_seconds: float,
) -> dict[str, str]:
    """Decide schedule by schedule, each in a savepoint; what went wrong, by schedule."""
    errors: dict[str, str] = {}
    left = settings.max_runs_per_tick
    for number, schedule_id in enumerate(schedule_ids):
        try:
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
        left -= fired.runs
        if not fired.schedules:
            errors[schedule_id] = _AT_IT
    return errors
