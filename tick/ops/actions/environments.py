"""Giving a database to another environment: a copy of production's, say, that staging is to have.

What came with it must do nothing by itself there: every schedule is switched off, and what was
queued or at work is cancelled, backfills among it.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from tick.engine.ledger.backfills import IS_UNFINISHED
from tick.engine.ledger.environment import NAME, SUBJECT, stored_environment
from tick.engine.runs.cancel import cancel_runs
from tick.engine.runs.settle import settle_occurrences
from tick.errors import Refused
from tick.ops.act import Act, Change, action
from tick.ops.queries.workers import list_living
from tick.states import UNFINISHED_RUNS, BackfillState
from tick.store.database import Database
from tick.store.tables import backfill, job_run, job_schedule, setting

_e, _s, _r = setting.c, job_schedule.c, job_run.c
MOST_NAMED = 1000


@dataclass(frozen=True)
class EnvironmentChanged:
    """What became of what the database held: how many were switched off and cancelled."""

    environment: str
    schedules: int
    runs: int


def change_environment(
    database: Database, act: Act, name: str, *, old: str, dead_after_seconds: float
) -> EnvironmentChanged:
    """Give the database from the environment `old` to `name`.

    Raises Refused unless it belongs to `old`, and while processes work on it.
    """
    changed, touched = _change(database, act, name, old, timedelta(seconds=dead_after_seconds))
    # After the ends are committed, as everywhere: locks are taken in one order.
    with database.write.begin() as connection:
        settle_occurrences(connection, touched, act.now)
    return changed


@action("environment.change", subject=SUBJECT)
def _change(
    change: Change, name: str, old: str, dead_after: timedelta
) -> tuple[EnvironmentChanged, set[int]]:
    connection = change.connection
    _refuse(stored_environment(connection), name, old)
    living = list_living(connection, change.now, dead_after.total_seconds())
    if living:
        kinds = ", ".join(sorted({f"{each.worker_type} {each.id}" for each in living})[:5])
        raise Refused(
            f"Processes of {old} work on this database ({kinds}): stop them, or wait until they "
            "count as dead, then repeat. If it is no copy, it stays theirs."
        )
    guard = sa.and_(_e.name == NAME, _e.value == sa.literal(old, _e.value.type))
    values = {"value": name, "updated_at": change.now, "updated_by": change.author.name}
    if connection.execute(sa.update(setting).where(guard).values(values)).rowcount != 1:
        raise Refused("Somebody else gave it to another environment just now; look again.")
    schedules = _switch_off(change)
    unfinished = sa.select(_r.id).where(_r.status.in_(UNFINISHED_RUNS)).order_by(_r.id)
    runs = connection.execute(unfinished).scalars().all()
    connection.execute(
        sa.update(backfill)
        .where(IS_UNFINISHED)
        .values(state=BackfillState.CANCELLED, state_at=change.now, state_by=change.author.name)
    )
    why = change.author.did(f"cancelled as the database went from {old} to {name}")
    touched = cancel_runs(connection, runs, now=change.now, reason=why)
    after = {"environment": name, "switched_off": schedules[:MOST_NAMED], "cancelled": len(runs)}
    change.record(before={"environment": old}, after=after)
    return EnvironmentChanged(name, len(schedules), len(runs)), touched


def _refuse(stored: str | None, name: str, old: str) -> None:
    if stored is None:
        raise Refused(
            "The database belongs to no environment yet: its first sync gives it to the one that "
            "TICK_ENVIRONMENT names. Run `tick sync` there."
        )
    if stored != old:
        raise Refused(f"The database belongs to {stored}, not to {old}: --from {stored} names it.")
    if stored == name:
        raise Refused(f"The database belongs to {name} already.")


def _switch_off(change: Change) -> list[str]:
    """Switch every schedule off; the ids of those that were on."""
    on = sa.select(_s.id).where(_s.enabled).order_by(_s.id)
    ids = list(change.connection.execute(on.with_for_update()).scalars())
    off = {"enabled": False, "enabled_at": change.now, "enabled_by": change.author.name}
    change.connection.execute(
        sa.update(job_schedule)
        .where(_s.enabled)
        .values(**off, next_run_at=None, updated_at=change.now)
    )
    return ids
