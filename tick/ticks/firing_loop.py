"""Decides what is due, a chunk of schedules a transaction, within a time budget.

A chunk that fails is done again schedule by schedule, so that a bad one stops only itself; one that
fails alone backs off. A database that fails as a whole ends the tick, and is no schedule's fault.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter
from typing import TypeVar

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import TickClaim, any_due, due_ids
from tick.engine.firing.fire import Fired, fire_due
from tick.engine.schedules import lifecycle
from tick.runtime import Runtime
from tick.store.database import TRANSIENT, begin_within, short_error
from tick.store.outages import is_outage, sentence
from tick.ticks.result import TickResult
from tick.utc import Utc

log = logging.getLogger(__name__)
T = TypeVar("T")
_TRIES = 3
# What is begun at the very end of the budget still waits for a lock of ordinary length.
_LEAST_PATIENCE_SECONDS = 0.2


class FiringLoop:
    """The firings of one tick, and the budget that all its steps share.

    `zones` are the zone data that this process may decide by, `tick_seconds` the learned distance
    between ticks; both are to be set before `fire_due`.
    """

    def __init__(self, runtime: Runtime, now: Utc, budget_seconds: float) -> None:
        self.runtime, self.now = runtime, now
        self.zones: tuple[int, ...] = ()
        self.tick_seconds = 0.0
        self.result = TickResult(tick_id=secrets.token_hex(8), now=now)
        self.chunks = 0
        self.is_away = False
        """Whether the database failed as a whole: nothing more is tried."""
        self._started, self._budget_seconds = perf_counter(), budget_seconds

    def fire_due(self) -> None:
        """Fire chunk after chunk until nothing is due, or the budget is spent."""
        limit = self.runtime.settings.chunk_schedules
        while self.in_time():
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
        # Wait for what another transaction holds: it may have been no tick at all. What is caught
        # up where overlap is allowed is due again at once.
        while self.in_time() and self._any_due() and self._fire_one_by_one(limit):
            pass
        if not self.in_time() and not self.is_away and self._any_due():
            self.result.more = True

    def in_time(self) -> bool:
        """Whether the budget allows another step, and the database answers."""
        return self._seconds_left() > 0 and not self.is_away

    def seconds_taken(self) -> float:
        """The seconds since the tick began."""
        return perf_counter() - self._started

    def in_transaction(self, step: Callable[[sa.Connection], T]) -> T:
        """Run a step that is safe to repeat, again where the database asks for it."""
        tries = 0
        while True:
            tries += 1
            # Beyond the budget it waits for nobody's lock.
            patience = max(self._seconds_left(), _LEAST_PATIENCE_SECONDS)
            try:
                with begin_within(self.runtime.database.write, patience) as connection:
                    return step(connection)
            except TRANSIENT:
                if tries == _TRIES or not self.in_time():
                    raise

    def _fire(self, *, limit: int, only: str | None = None) -> Fired:
        self.chunks += 1
        tick_id = self.result.tick_id
        claim = TickClaim(tick_id, f"{tick_id}.{self.chunks}", self.now, self.zones)

        def step(connection: sa.Connection) -> Fired:
            return fire_due(
                connection,
                claim,
                limit=limit,
                tick_seconds=self.tick_seconds,
                most_runs=self.runtime.settings.max_runs_per_tick - self.result.runs,
                only=only,
                wait=only is not None,
            )

        fired = self.in_transaction(step)
        self.result.due += fired.schedules
        self.result.runs += fired.runs
        self.result.more |= fired.throttled > 0
        return fired

    def _fire_one_by_one(self, limit: int, *, suspect: bool = False) -> int:
        """Fire each due schedule in a transaction of its own; how many were decided or put off.

        0 if the database fails twice in a row; `suspect` says that it failed just now.
        """
        done = 0
        with self.runtime.database.read.connect() as connection:
            waiting = due_ids(connection, self.now, limit, self.zones)
        for schedule_id in waiting:
            if not self.in_time():
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
        """Let a schedule that failed back off; False if it does not."""
        reason = short_error(error)
        log.error("schedule %s could not be fired: %s", schedule_id, reason)
        self.result.errors[schedule_id] = reason
        # The database's fault, not the schedule's: it is due in the next tick as it was.
        if isinstance(error, TRANSIENT) or is_outage(error):
            self.result.more = True
            return False

        try:
            self.in_transaction(
                lambda each: lifecycle.back_off(each, schedule_id, now=self.now, error=reason)
            )
        except Exception as worse:
            log.error("schedule %s can't be put off either: %s", schedule_id, short_error(worse))
            return False
        return True

    def _any_due(self, before: float = 0.0) -> bool:
        with self.runtime.database.read.connect() as connection:
            return any_due(connection, self.now - timedelta(seconds=before), self.zones)

    def _seconds_left(self) -> float:
        return self._budget_seconds - self.seconds_taken()
