"""The tick: decides every instant that is due, whoever calls it and however often.

It may be called by several processes at once, late, twice, or not for a while. It never runs user
code, and it works within a time budget: what is left over is for the next call.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf
from time import perf_counter
from typing import TypeVar

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import any_due, due_ids
from tick.engine.firing.fire import Fired, fire_due
from tick.engine.firing.write_plans import TickClaim
from tick.engine.ledger.audit import SYSTEM
from tick.engine.ledger.results import LISTED, count_outcomes, list_occurrences
from tick.engine.ledger.tick_log import learned_tick_seconds, record_tick
from tick.engine.ledger.zones import read_zone_data_status, zone_data_status
from tick.engine.runs.rescue import rescue_dead_workers
from tick.engine.runs.settle import settle_forgotten
from tick.engine.schedules import lifecycle
from tick.engine.schedules.calculator import apply_newer_rules, is_outdated
from tick.engine.schedules.pause import end_pauses
from tick.engine.schedules.zone_changes import ZoneDataRequest, older_zones
from tick.engine.statistics.prune import Keep
from tick.runtime import Runtime, refuse_ahead
from tick.states import FIRED_OUTCOMES
from tick.store.database import TRANSIENT, begin_within, short_error
from tick.store.outages import is_outage, sentence
from tick.telemetry.logs import bound
from tick.ticks.housekeeping import housekeeping
from tick.ticks.pending_work import PendingWork, pending_work
from tick.ticks.result import TickResult, row_of
from tick.utc import Utc, utc

log = logging.getLogger(__name__)
T = TypeVar("T")
_TRIES = 3
_LEAST_PATIENCE_SECONDS = 0.2


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
    may be ahead of the shared clock, and it prunes nothing. Raises ClockError for any other, and
    DatabaseError's cause only when the database can't be reached at all.
    """
    work = _Tick(runtime, utc(now, "now"), budget_seconds or runtime.settings.budget_seconds)
    with bound(tick_id=work.result.tick_id):
        found = work.look()
        if not simulated:
            refuse_ahead(work.now, found.clock or runtime.now())
        if work.heed_rules(found):
            found = work.look()
        if found.fires:
            work.fire_all(found)
        if found.lost and not work.is_away:
            work.rescue()
        result = work.report(source, settles=found.settles)
        if found.keeps_up:
            work.keep_up(prunes=not simulated)
    return result


def decide_due(runtime: Runtime, now: datetime, *, tick_seconds: float) -> None:
    """Only decide what is due, however long it takes, and leave no row in the log of ticks.

    For simulations: what they find must not depend on how fast they run.
    """
    work = _Tick(runtime, utc(now, "now"), inf)
    work.tick_seconds = tick_seconds
    with runtime.database.read.connect() as connection:
        work.zones = read_zone_data_status(connection).mine
    work.fire_due()


class _Tick:
    """One tick at work."""

    def __init__(self, runtime: Runtime, now: Utc, budget_seconds: float) -> None:
        self.runtime, self.now = runtime, now
        self.started = perf_counter()
        self.budget_seconds = budget_seconds
        self.dead_after = timedelta(seconds=runtime.settings.dead_after_seconds)
        self.chunks = 0
        self.is_away = False
        self.tick_seconds = 0.0
        self.zones: tuple[int, ...] = ()
        self.telemetry = runtime.telemetry
        self.result = TickResult(tick_id=secrets.token_hex(8), now=now)

    def look(self) -> PendingWork:
        """What there is to do. Raises OperationalError where the database's file was replaced."""
        self.runtime.database.want_file()
        with self.runtime.database.read.connect() as connection:
            found = pending_work(connection, self.now, self.dead_after)
            if found.fires:
                self.tick_seconds = learned_tick_seconds(connection)
        return found

    def heed_rules(self, found: PendingWork) -> bool:
        """Go by this process's zone data and code where newer; whether that changed anything.

        Schedules that go by newer ones than these are left alone, and the result names the zones.
        """
        there = zone_data_status(found.zones)
        self.zones = there.mine
        if there.settled and not found.unread and not is_outdated(found.calculator):
            return False
        limit = self.runtime.settings.chunk_schedules
        try:
            while self._in_time() and self._in_transaction(
                lambda each: apply_newer_rules(each, self.now, limit, ZoneDataRequest(SYSTEM))
            ):
                pass
        except Exception as error:
            log.error("newer zone data or code could not be heeded: %s", short_error(error))
            self.result.errors["(time zones)"] = short_error(error)
        with self.runtime.database.read.connect() as connection:
            self.zones = read_zone_data_status(connection).mine
            self.result.older_zones = {
                known.zone: known.version for known in older_zones(connection)
            }
        return True

    def fire_all(self, found: PendingWork) -> None:
        """End the pauses that are over, and decide what is due."""
        if found.pause_over:
            self._end_pauses()
        self.fire_due()

    def fire_due(self) -> None:
        """Chunk after chunk until nothing is due, or the budget is spent."""
        limit = self.runtime.settings.chunk_schedules
        while self._in_time():
            try:
                fired = self._fire(limit=limit)
            except Exception as error:
                if not is_outage(error):
                    log.warning("a chunk fails, and is done one by one: %s", short_error(error))
                if self._fire_one_by_one(limit, suspect=is_outage(error)) == 0:
                    # Once is chance; a tick that leaves what the one before left says why.
                    if not self.result.errors and self._any_due(before=self.tick_seconds):
                        self.result.errors["(database)"] = short_error(error)
                    break
                continue  # what failed is backing off, so that the next chunk is clear of it
            if fired.schedules < limit:
                break
        # What another transaction held is waited for: it may have been no tick at all. What is
        # caught up where overlap is allowed is due again at once.
        while self._in_time() and self._any_due() and self._fire_one_by_one(limit):
            pass
        if not self._in_time() and not self.is_away and self._any_due():
            self.result.more = True

    def _end_pauses(self) -> None:
        """Let schedules go on whose pause is over; what has come due since is decided next."""
        limit = self.runtime.settings.chunk_schedules
        try:
            while self._in_time():
                if self._in_transaction(lambda each: end_pauses(each, self.now, limit)) < limit:
                    return
        except Exception as error:
            log.error("pauses could not be ended: %s", short_error(error))
            self.result.errors["(pauses)"] = short_error(error)

    def rescue(self) -> None:
        """Put back or end the runs of workers that stopped beating."""

        def take_back(connection: sa.Connection) -> int:
            return rescue_dead_workers(connection, self.now, self.dead_after).runs

        self.result.rescued = self._in_transaction(take_back)

    def report(self, source: str, *, settles: bool) -> TickResult:
        """The result, and its row in the log of ticks; what ended is settled, if `settles`."""
        result = self.result
        late = self._read_back() if result.due and not self.is_away else None
        result.took_seconds = perf_counter() - self.started
        row = row_of(result, source, late)

        def step(connection: sa.Connection) -> None:
            if settles:
                settle_forgotten(connection, self.now)
            record_tick(connection, row)

        try:
            if not self.is_away:
                self._in_transaction(step)
        except sa.exc.DBAPIError as error:
            log.warning("the tick leaves no row in the log of ticks: %s", short_error(error))
        self.telemetry.tick(row)
        return result

    def keep_up(self, *, prunes: bool) -> None:
        """Use what is left of the budget for counting and pruning."""
        settings, engine = self.runtime.settings, self.runtime.database.write
        if self._in_time():
            keep = Keep.of(settings) if prunes else None
            counted = housekeeping(engine, self.now, keep, self._in_time)
            self.telemetry.ended(self.runtime.database.read, counted, self.now)

    def _fire(self, *, limit: int, only: str | None = None) -> Fired:
        self.chunks += 1
        decision = TickClaim(
            self.result.tick_id, f"{self.result.tick_id}.{self.chunks}", self.now, self.zones
        )

        def step(connection: sa.Connection) -> Fired:
            return fire_due(
                connection,
                decision,
                limit=limit,
                tick_seconds=self.tick_seconds,
                most_runs=self.runtime.settings.max_runs_per_tick - self.result.runs,
                only=only,
                wait=only is not None,
            )

        fired = self._in_transaction(step)
        self.result.due += fired.schedules
        self.result.runs += fired.runs
        self.result.more |= fired.throttled > 0
        return fired

    def _fire_one_by_one(self, limit: int, *, suspect: bool = False) -> int:
        """Each due schedule in a transaction of its own, so that a bad one stops only itself.

        How many were decided or put off; none if the database fails twice (`suspect`: just now).
        """
        done = 0
        with self.runtime.database.read.connect() as connection:
            waiting = due_ids(connection, self.now, limit, self.zones)
        for schedule_id in waiting:
            if not self._in_time():
                break
            try:
                fired = self._fire(limit=1, only=schedule_id)
            except Exception as error:
                if is_outage(error) and suspect:
                    self._note_outage(error)
                    return 0
                suspect = is_outage(error)
                done += self._note_failure(schedule_id, error)
                continue
            suspect = False
            done += fired.schedules
            if not fired.schedules and not self._any_due():
                break  # another tick has decided all of them
        return done

    def _note_outage(self, error: Exception) -> None:
        """Leave all that is due to the next tick: the database is away, full or damaged."""
        self.is_away = self.result.more = True
        self.result.errors["(database)"] = short_error(error)
        log.error(
            "what is due is left to the next tick, as the database fails: %s", sentence(error)
        )

    def _note_failure(self, schedule_id: str, error: Exception) -> bool:
        """Put a schedule that failed into back-off; whether it is."""
        reason = short_error(error)
        log.error("schedule %s could not be fired: %s", schedule_id, reason)
        self.result.errors[schedule_id] = reason
        if isinstance(error, TRANSIENT) or is_outage(error):
            self.result.more = True
            return False

        def step(connection: sa.Connection) -> None:
            lifecycle.back_off(connection, schedule_id, now=self.now, error=reason)

        try:
            self._in_transaction(step)
        except Exception as worse:
            log.error("schedule %s can't be put off either: %s", schedule_id, short_error(worse))
            return False
        return True

    def _read_back(self) -> float | None:
        """Fill in what this tick wrote; the lateness of its latest firing."""
        result = self.result
        with self.runtime.database.read.connect() as connection:
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

    def _any_due(self, before: float = 0.0) -> bool:
        with self.runtime.database.read.connect() as connection:
            return any_due(connection, self.now - timedelta(seconds=before), self.zones)

    def _in_time(self) -> bool:
        return self._seconds_left() > 0 and not self.is_away

    def _seconds_left(self) -> float:
        return self.budget_seconds - (perf_counter() - self.started)

    def _in_transaction(self, step: Callable[[sa.Connection], T]) -> T:
        """Run a step that is safe to repeat, again where the database asks for it.

        It waits for nobody's lock beyond the budget.
        """
        for attempt in range(_TRIES):
            patience = max(self._seconds_left(), _LEAST_PATIENCE_SECONDS)
            try:
                with begin_within(self.runtime.database.write, patience) as connection:
                    return step(connection)
            except TRANSIENT:
                if attempt == _TRIES - 1 or not self._in_time():
                    raise
        raise AssertionError("unreachable")
