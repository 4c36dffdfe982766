"""Asks in one statement what a tick has to do: a tick that finds nothing costs no other.

The answer only saves work. Each step guards what it writes, and what comes up after the question
is for the next tick.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import IS_ANY_DUE
from tick.engine.ledger.backfills import IS_ANY_RUNNING
from tick.engine.ledger.environment import ENVIRONMENT
from tick.engine.ledger.zones import IN_FORCE
from tick.engine.runs.expire import overdue_values
from tick.engine.runs.rescue import IS_ANYTHING_LOST
from tick.engine.runs.settle import IS_ANY_FORGOTTEN
from tick.engine.schedules.calculator import IN_USE
from tick.engine.schedules.pause import IS_ANY_PAUSE_OVER
from tick.engine.schedules.zone_changes import IS_ANY_UNREAD
from tick.engine.statistics.count import IS_ANY_UNCOUNTED
from tick.engine.statistics.prune_state import EVERY, IS_PRUNE_DUE
from tick.store.tables import Instant


@dataclass(frozen=True)
class PendingWork:
    """Answers, one for each thing that a tick does.

    `zones` are the data in force (IN_FORCE); `unread` says that some version's are not known.
    `calculator` says what worked out the next instants (IN_USE), `environment` to which one the
    database belongs, if to any.
    """

    pause_over: bool
    due: bool
    lost: bool
    forgotten: bool
    backfills: bool
    uncounted: bool
    prune: bool
    zones: str | None
    unread: bool
    calculator: dict[str, Any] | None
    environment: str | None
    clock: datetime | None
    """The database's own clock, which all share; None on SQLite, where the host's is it."""

    @property
    def fires(self) -> bool:
        """Whether something is due, or will be once its pause has ended."""
        return self.due or self.pause_over

    @property
    def settles(self) -> bool:
        """Whether occurrences may have come, or may come in this tick, to their end."""
        return self.forgotten or self.fires or self.lost or self.backfills

    @property
    def needs_housekeeping(self) -> bool:
        """Whether there is something to count or to prune, or will be by the end of this tick."""
        return self.uncounted or self.prune or self.settles


def pending_work(connection: sa.Connection, now: datetime, dead_after: timedelta) -> PendingWork:
    """Ask what there is to do at `now`; a process that was silent for `dead_after` is lost."""
    values = {"now_": now, "before": now - dead_after, "pruned_before": now - EVERY}
    values |= overdue_values(now)
    return PendingWork(*connection.execute(_statement(connection.dialect.name), values).one())


@cache
def _statement(dialect: str) -> sa.Select[Any]:
    clock = sa.func.clock_timestamp(type_=Instant) if dialect == "postgresql" else sa.null()
    # In the order of PendingWork's fields.
    ended = (
        *(IS_ANYTHING_LOST, IS_ANY_FORGOTTEN, IS_ANY_RUNNING),
        *(IS_ANY_UNCOUNTED, IS_PRUNE_DUE),
    )
    rules: list[Any] = [IN_FORCE, IS_ANY_UNREAD, IN_USE, ENVIRONMENT]
    return sa.select(IS_ANY_PAUSE_OVER, IS_ANY_DUE, *ended, *rules, clock)
