"""The tick: decides every instant that is due, whoever calls it and however often.

It may be called by several processes at once, late, twice, or not for a while. It never runs user
code, and it works within a time budget: what is left over is for the next call.
"""

import logging
from datetime import datetime, timedelta
from math import inf

import sqlalchemy as sa

from tick.engine.ledger.audit import SYSTEM
from tick.engine.ledger.environment import expect_environment
from tick.engine.ledger.rows import LISTED, count_outcomes, list_occurrences
from tick.engine.ledger.tick_log import learned_tick_seconds, record_tick
from tick.engine.ledger.zones import read_zone_data_status, zone_data_status
from tick.engine.runs.expire import end_overdue
from tick.engine.runs.rescue import Rescued, rescue_dead_workers
from tick.engine.runs.settle import settle_forgotten
from tick.engine.schedules.calculator import apply_newer_rules, is_outdated
from tick.engine.schedules.pause import end_pauses
from tick.engine.schedules.zone_changes import ZoneDataRequest, older_zones
from tick.engine.statistics.prune import Keep
from tick.runtime import Runtime, refuse_ahead
from tick.states import FIRED_OUTCOMES
from tick.store.database import short_error
from tick.telemetry.logs import bound
from tick.ticks.firing_loop import FiringLoop
from tick.ticks.housekeeping import housekeeping
from tick.ticks.pending_work import PendingWork, pending_work
from tick.ticks.result import TickResult
from tick.utc import utc

log = logging.getLogger(__name__)


def run_tick(
    runtime: Runtime,
    now: datetime,
    *,
    source: str = "call",
    budget_seconds: float | None = None,
    simulated: bool = False,
) -> TickResult:
    """Decide everything that is due at `now`.

    `source` labels who called; `budget_seconds` defaults to the setting. Only a `simulated` tick
    may be ahead of the shared clock, and it prunes nothing. Raises ClockError for any other,
    WrongEnvironment, and DatabaseError's cause only when the database can't be reached at all.
    """
    budget_seconds = budget_seconds or runtime.settings.budget_seconds
    loop = FiringLoop(runtime, utc(now, "now"), budget_seconds)
    with bound(tick_id=loop.result.tick_id):
        pending = _pending_work(loop)
        expect_environment(pending.environment, runtime.settings.environment)
        # A tick by a clock that is ahead would decide instants that are still to come, for good.
        if not simulated:
            refuse_ahead(loop.now, pending.clock or runtime.now())
        # Before anything fires: an instant is decided by the newest rules that are known.
        if _apply_newer_rules(loop, pending):
            pending = _pending_work(loop)
        if pending.pause_over:
            _end_pauses(loop)
        if pending.fires:
            loop.fire_due()
        if pending.backfills and loop.in_time():
            # Loaded when there is one: most installations never have any.
            from tick.ticks.backfills import advance_backfills

            advance_backfills(loop)
        if pending.lost and not loop.is_away:
            _rescue(loop)
        # After the firings and the rescue, which may both bring occurrences to their end.
        _report(loop, source, settles=pending.settles)
        if pending.needs_housekeeping and loop.in_time():
            keep = None if simulated else Keep.of(runtime.settings)
            counted = housekeeping(runtime.database.write, loop.now, keep, loop.in_time)
            runtime.telemetry.ended(runtime.database.read, counted, loop.now)
    return loop.result


def decide_due(runtime: Runtime, now: datetime, *, tick_seconds: float) -> None:
    """Only decide what is due, however long it takes, and leave no row in the log of ticks."""
    # Without a budget: what a simulation finds must not depend on how fast it runs.
    loop = FiringLoop(runtime, utc(now, "now"), inf)
    loop.tick_seconds = tick_seconds
    with runtime.database.read.connect() as connection:
        loop.zones = read_zone_data_status(connection).usable
    loop.fire_due()


def _pending_work(loop: FiringLoop) -> PendingWork:
    """Ask what there is to do. Raises OperationalError if the database's file was replaced."""
    loop.runtime.database.want_file()
    with loop.runtime.database.read.connect() as connection:
        found = pending_work(connection, loop.now, _dead_after(loop))
        if found.fires:
            loop.tick_seconds = learned_tick_seconds(connection)
    return found


def _apply_newer_rules(loop: FiringLoop, found: PendingWork) -> bool:
    """Bring this process's zone data and code into force where newer; whether anything changed.

    Schedules that go by newer ones than these are left alone, and the result names their zones.
    """
    status = zone_data_status(found.zones)
    loop.zones = status.usable
    if status.settled and not found.unread and not is_outdated(found.calculator):
        return False
    limit, request = loop.runtime.settings.chunk_schedules, ZoneDataRequest(SYSTEM)

    def step(connection: sa.Connection) -> bool:
        return apply_newer_rules(connection, loop.now, limit, request)

    try:
        while loop.in_time() and loop.in_transaction(step):
            pass
    except Exception as error:
        # No reason to fire nothing: schedules go on by the data that they went by.
        log.error("newer zone data or code could not be applied: %s", short_error(error))
        loop.result.errors["(time zones)"] = short_error(error)
    with loop.runtime.database.read.connect() as connection:
        loop.zones = read_zone_data_status(connection).usable
        older = older_zones(connection)
    loop.result.older_zones = {known.zone: known.version for known in older}
    return True


def _end_pauses(loop: FiringLoop) -> None:
    """Let schedules go on whose pause is over; what has come due since is decided next."""
    limit = loop.runtime.settings.chunk_schedules
    try:
        while loop.in_time():
            if loop.in_transaction(lambda each: end_pauses(each, loop.now, limit)) < limit:
                return
    except Exception as error:
        log.error("pauses could not be ended: %s", short_error(error))
        loop.result.errors["(pauses)"] = short_error(error)


def _rescue(loop: FiringLoop) -> None:
    """Put back or end the runs of workers that stopped beating, and end those out of time."""
    dead_after = _dead_after(loop)

    def step(connection: sa.Connection) -> Rescued:
        rescued = rescue_dead_workers(connection, loop.now, dead_after)
        end_overdue(connection, loop.now)
        return rescued

    rescued = loop.in_transaction(step)
    loop.result.rescued = rescued.runs


def _dead_after(loop: FiringLoop) -> timedelta:
    return timedelta(seconds=loop.runtime.settings.dead_after_seconds)


def _report(loop: FiringLoop, source: str, *, settles: bool) -> None:
    """Complete the result, and write its row in the log of ticks; with `settles`, settle first."""
    result = loop.result
    late = _read_back(loop) if result.due and not loop.is_away else None
    result.took_seconds = loop.seconds_taken()
    row = result.as_row(source, late)

    def step(connection: sa.Connection) -> None:
        if settles:
            settle_forgotten(connection, loop.now)
        record_tick(connection, row)

    try:
        if not loop.is_away:
            loop.in_transaction(step)
    except sa.exc.DBAPIError as error:
        log.warning("the tick leaves no row in the log of ticks: %s", short_error(error))
    loop.runtime.telemetry.tick(row)


def _read_back(loop: FiringLoop) -> float | None:
    """Fill in what this tick wrote; the lateness of its latest firing."""
    result = loop.result
    # The row count of an INSERT that passes over rows that are there does not tell which of them
    # another tick wrote, so the ledger is asked which are this tick's.
    with loop.runtime.database.read.connect() as connection:
        counts = count_outcomes(connection, result.tick_id)
        lines = list_occurrences(connection, result.tick_id, limit=2 * LISTED)
    for outcome, count in counts.items():
        if outcome in FIRED_OUTCOMES:
            result.fired_count += count
        else:
            result.not_fired_count += count
    for line in lines:
        (result.fired if line.outcome in FIRED_OUTCOMES else result.not_fired).append(line)
    return max((line.late_seconds for line in result.fired if line.late_seconds), default=None)
