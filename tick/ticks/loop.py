"""The fallback loop: a process that ticks at each full minute where no platform does."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from tick.engine.runs.heartbeat import beat, register_worker, stop_worker
from tick.errors import DefinitionsInvalid, WrongEnvironment
from tick.runtime import Runtime
from tick.states import WorkerType
from tick.store.database import TRANSIENT, short_error
from tick.syncing import ensure_synced
from tick.ticks.result import TickResult
from tick.ticks.tick import run_tick

log = logging.getLogger(__name__)
SOURCE = "tick loop"


class Loop:
    """Ticks once at its start and then at each full minute, until `stop` is set.

    `on_tick` hears of each tick; it must not take long.
    """

    def __init__(
        self, runtime: Runtime, on_tick: Callable[[TickResult], object] | None = None
    ) -> None:
        self.runtime, self._on_tick = runtime, on_tick
        self.worker_id: str | None = None
        self.ticked: datetime | None = None
        """The minute of the last tick."""

    def serve(self, stop: threading.Event) -> None:
        """Run until `stop`; a database that is away for a while does not end it.

        Raises WrongEnvironment.
        """
        self._announce()
        try:
            while not stop.is_set():
                stop.wait(self._turn(stop))
        finally:
            self._sign_off()

    def _turn(self, stop: threading.Event) -> float:
        """Beat, and tick if the minute is new; how many seconds to wait for the next turn."""
        try:
            now = self.runtime.now()
            self._beat(now)
            if (minute := now.replace(second=0, microsecond=0)) != self.ticked:
                self.tick(stop)
                self.ticked = minute
            # Beats go on between two ticks, or others would declare this process dead.
            to_next = seconds_to_next_minute(self.runtime.now())
            return min(to_next, self.runtime.settings.heartbeat_seconds)
        except WrongEnvironment:
            raise
        except TRANSIENT as error:
            log.error("the database is away, trying again in 5 s: %s", short_error(error))
        except Exception:
            log.exception("a tick failed, trying again in 5 s")
        return 5.0

    def tick(self, stop: threading.Event) -> None:
        """Tick, again while a tick that got somewhere left something over."""
        more = True
        while more and not stop.is_set():
            now = self.runtime.now()
            self._beat(now)
            result = run_tick(self.runtime, now, source=SOURCE)
            if self._on_tick is not None:
                self._on_tick(result)
            more = result.more and result.due > 0

    def _announce(self) -> None:
        try:
            self.runtime.registry  # noqa: B018  (loads them)
        except DefinitionsInvalid:
            return  # the first beat says so, and ticks go by what is stored
        for schedule in self.runtime.registry.schedules.values():
            log.info("missed-run policy of %s: %s", schedule.id, schedule.missed)
        log.info("schedules in the definitions: %d", len(self.runtime.registry.schedules))

    def _beat(self, now: datetime) -> None:
        self.runtime.database.want_file()
        with self.runtime.database.write.begin() as connection:
            mine = self.runtime.settings.environment
            if self.worker_id and beat(connection, self.worker_id, now, "ticking", mine):
                return
            # New, or declared dead while it was frozen: it begins a new life.
            self.worker_id = register_worker(
                connection,
                worker_type=WorkerType.SCHEDULE_DAEMON,
                now=now,
                abilities={},
                environment=mine,
            )
        ensure_synced(self.runtime, now)

    def _sign_off(self) -> None:
        if self.worker_id is None:
            return
        try:
            with self.runtime.database.write.begin() as connection:
                stop_worker(connection, self.worker_id, self.runtime.now())
        except sa.exc.SQLAlchemyError as error:
            log.warning("could not sign off: %s", short_error(error))


def seconds_to_next_minute(now: datetime) -> float:
    """The seconds to sleep so as to wake just after the next full minute."""
    into = now.second + now.microsecond / 1e6
    # A wake-up a little early would still see the old minute.
    return 60.0 - into + 0.05
