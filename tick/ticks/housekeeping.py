"""The rest of a tick's budget: to count what ended, and once an hour to prune and to forecast."""

import logging
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from tick.engine.schedules.forecasts import write_forecasts
from tick.engine.statistics.count import Counted, count_ended
from tick.engine.statistics.prune import Keep, prune_all
from tick.engine.statistics.prune_state import claim_prune, release_prune
from tick.store.database import begin_within, short_error

log = logging.getLogger(__name__)
_LOCK_NOT_AVAILABLE = "55P03"
PATIENCE_SECONDS = 0.5
"""The longest wait for a lock that somebody else has: the next tick comes soon."""


def housekeeping(
    engine: sa.Engine, now: datetime, keep: Keep | None, may_go_on: Callable[[], bool]
) -> list[Counted]:
    """Count what ended, and once an hour delete what is not to `keep` and forecast; the counts.

    Both go in small transactions. The next tick does the rest, and no failure here is the tick's.
    """
    counted: list[Counted] = []
    try:
        if _count(engine, now if keep else None, may_go_on, counted) and keep:
            _prune(engine, now, keep, may_go_on)
            write_forecasts(engine, now, may_go_on, PATIENCE_SECONDS)
    except sa.exc.SQLAlchemyError as error:
        level = logging.INFO if _is_in_use(error) else logging.ERROR
        log.log(level, "housekeeping is left to the next tick: %s", short_error(error))
    return counted


def _is_in_use(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether another transaction held a lock too long: that happens every day."""
    said = getattr(error, "orig", None)
    return getattr(said, "sqlstate", None) == _LOCK_NOT_AVAILABLE or "is locked" in str(said)


def _count(
    engine: sa.Engine, now: datetime | None, may_go_on: Callable[[], bool], counted: list[Counted]
) -> bool:
    """Count; True if all is counted and it is this tick's turn to prune. False without `now`."""
    while True:
        with begin_within(engine, PATIENCE_SECONDS) as connection:
            found = count_ended(connection)
            is_time = not found.more and now is not None and claim_prune(connection, now)
        counted.append(found)
        if not found.more or not may_go_on():
            return is_time


def _prune(engine: sa.Engine, now: datetime, keep: Keep, may_go_on: Callable[[], bool]) -> None:
    gone, done = prune_all(engine, now, keep, may_go_on, PATIENCE_SECONDS)
    if not done:
        with begin_within(engine, PATIENCE_SECONDS) as connection:
            release_prune(connection, now)
    if told := ", ".join(f"{count} of {table}" for table, count in gone.items() if count):
        log.info("pruned %s", told)
