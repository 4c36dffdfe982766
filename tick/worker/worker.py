"""The worker: claims ready runs, has them executed, and finishes them; a loop around the engine."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from math import inf

from tick.errors import WrongEnvironment
from tick.executors.executor import Executor
from tick.runtime import Runtime
from tick.states import RunStatus, WorkerStatus
from tick.stop import Stop
from tick.store.database import TRANSIENT, short_error
from tick.timers import CachedClock, PeriodicTimer
from tick.utc import utc
from tick.worker.claimer import Claimer
from tick.worker.executor_group import ExecutorGroup, assign, build_executors
from tick.worker.membership import Membership
from tick.worker.reconcile import Reconciler
from tick.worker.result_writer import ResultWriter
from tick.worker.wakeup import WakeupListener

log = logging.getLogger(__name__)

FINISH_SECONDS = 0.1  # ends may wait so long for others while further runs are at hand
CLOCK_SECONDS = 1.0  # asking the clock of the database is a round trip
SETTLE_SECONDS = 0.1  # while there are runs: one statement settles what ended meanwhile
GATHER_SECONDS = 0.001  # other ends are about to come, and one commit serves all
SAVE_SECONDS = 1.0  # until lines and progress are seen, and a cancellation is passed on
WAIT_SECONDS = 1.0  # a claimed run that found no slot for so long is left to others
RESCUE_SECONDS = 30.0
READY_SECONDS = 60.0  # `run_once` waits no longer for child processes that load the definitions
GIVE_UP_SECONDS = 5.0  # when stopping without a database; later, others rescue what it holds
_RETRY_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 5.0


class Worker:
    """One worker process. It reads the clock; the engine decides what becomes of a run.

    Child processes execute runs, and threads where a job asks for them, unless `with_threads` is
    off. An `executor` takes the place of both. `queues` narrows what is claimed. `now` stands in
    for the runtime's clock.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        executor: Executor | None = None,
        with_threads: bool = True,
        queues: Collection[str] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        settings = runtime.settings
        self.drain_seconds = settings.drain_seconds
        self._settings, self._jobs = settings, runtime.jobs
        self._now = now or runtime.now
        self._claimer = Claimer(self._jobs, settings, queues, self._now)
        # With concurrency limits use exact instants: whoever checks a limit compares start times.
        is_cached = now is None and not self._claimer.waits
        self._clock = CachedClock(self._now, CLOCK_SECONDS if is_cached else 0.0)
        if executor is None:
            self._executors = build_executors(self._jobs, settings, with_threads=with_threads)
        else:
            self._executors = ExecutorGroup([assign(executor, self._jobs)])
        database = self._database = runtime.database
        self._results = ResultWriter(database, self._jobs, settings.log_lines)
        self._reconciler = Reconciler(database, self._executors, self._results)
        slots = self._executors.slots
        forget = self._reconciler.abandon_all
        mine = settings.environment
        self._membership = Membership(database, self._jobs, queues, slots, forget, mine)
        self._refused: WrongEnvironment | None = None
        self._found_nothing = False
        self._drain_until: float | None = None
        self._is_closed = False
        self._backoff_seconds = 0.0
        self._database_retry = PeriodicTimer(0)
        self._beat = PeriodicTimer(settings.heartbeat_seconds)
        self._finish = PeriodicTimer(FINISH_SECONDS)
        self._settle = PeriodicTimer(SETTLE_SECONDS)
        self._save = PeriodicTimer(SAVE_SECONDS)
        self._claim = PeriodicTimer(settings.worker_poll_seconds)
        self._rescue = PeriodicTimer(RESCUE_SECONDS)

    def run_once(self, now: datetime) -> int:
        """Claim what is ready, run it to its end and finish it; return how many were claimed."""
        now = utc(now, "now")
        self._beat_once(now)
        self._wait_until_ready()
        claimed = self._save_and_claim(now)
        while self._executors.running:
            self._results.add(self._executors.poll(SAVE_SECONDS))
            self._results.save(now)
        return claimed

    def serve(self, stop: Stop, seconds: float = inf) -> bool:
        """Work until asked to stop, then drain for `drain_seconds`, by default the setting.

        With `seconds` it stops by itself when they are over or nothing is ready. Returns whether
        nothing was left. Raises WrongEnvironment, after the drain if the database changed hands.
        """
        until = time.monotonic() + seconds
        try:
            with closing(WakeupListener(self._database, self._on_notify)):
                while not self._may_leave(stop):
                    self._step()
                    is_over = seconds < inf and (self._is_idle() or time.monotonic() >= until)
                    if is_over and not stop.requests:
                        stop()
            if self._refused is not None:
                raise self._refused
            return self._is_idle()
        finally:
            self.close()

    @property
    def worker_id(self) -> str | None:
        """Return the id under which the worker is registered; None before, and after it stopped."""
        return self._membership.worker_id

    @property
    def statuses(self) -> Mapping[RunStatus, int]:
        """Return how many runs it ended or put back, by the status that they got."""
        return self._results.statuses

    def close(self) -> None:
        """Kill what runs, give it back to the queue, and show that this worker stopped."""
        if self._is_closed:
            return
        self._is_closed = True
        self._reconciler.give_back_all()
        until = time.monotonic() + GIVE_UP_SECONDS
        while self.worker_id is not None:
            try:
                now = self._now()
                self._results.save(now)
                self._membership.stop(now)
            except TRANSIENT as error:
                log.warning("the database is away while stopping: %s", short_error(error))
                if time.monotonic() >= until:
                    return
                time.sleep(_RETRY_SECONDS)

    def _on_notify(self) -> None:
        """Claim soon: runs may have become ready. Called from the listener's thread."""
        self._claim.make_due()
        self._executors.wake()

    def _step(self) -> None:
        """Write to the database if something is due and it can be reached, then poll executors."""
        if self._database_retry.due and self._needs_database():
            try:
                moment, now = self._clock.read()
                self._use_database(now, moment)
                self._backoff_seconds = 0.0
            except TRANSIENT as error:
                doubled = 2 * self._backoff_seconds + 0.25
                self._backoff_seconds = min(_LONGEST_BACKOFF_SECONDS, doubled)
                self._database_retry.restart(after=self._backoff_seconds)
                self._claim.make_due()  # the claim that failed has restarted its timer
                words = "the database is away, next try in %.1f s: %s"
                log.warning(words, self._backoff_seconds, short_error(error))
        self._poll_executors()

    def _poll_executors(self) -> None:
        """Take reports; wait for them no longer than until the next write is due."""
        warm = self._executors.warm
        longest = SETTLE_SECONDS if self._results.pending else SAVE_SECONDS
        self._results.add(self._executors.poll(min(self._settings.worker_poll_seconds, longest)))
        until = time.monotonic() + GATHER_SECONDS
        while self._results.is_urgent and self._executors.running and not self._executors.waiting:
            if (left := until - time.monotonic()) <= 0:
                break
            self._results.add(self._executors.poll(left))
        if self._executors.warm > warm:
            # A slot was added: an earlier claim may have left runs for which there was none.
            self._claim.make_due()

    def _needs_database(self) -> bool:
        timers = (self._beat, self._save, self._rescue)
        is_needed = self._finish_is_due() or self._settle_is_due() or self._claim_is_due()
        return is_needed or any(timer.due for timer in timers)

    def _finish_is_due(self) -> bool:
        # Save ends at once, but in batches while there is more to execute anyway.
        return self._results.is_urgent and (not self._executors.waiting or self._finish.due)

    def _settle_is_due(self) -> bool:
        return self._results.is_unsettled and (self._settle.due or not self._executors.running)

    def _claim_is_due(self) -> bool:
        # Without a free slot it stays due, and is made as soon as there is one.
        is_wanted = self._claim.due and self._drain_until is None
        return is_wanted and bool(self._executors.claim_requests())

    def _use_database(self, now: datetime, moment: float) -> None:
        if self._beat.due:
            self._beat_once(now)
            self._beat.restart()
        if self._finish_is_due() or self._claim_is_due():
            self._save_and_claim(now, moment)
        elif self._save.due:
            self._results.write(now, moment)
        if self._settle_is_due():
            if self._results.settle(now):
                # Runs that waited for one of these ends may be ready only now.
                self._claim.make_due()
                self._found_nothing = False
            self._settle.restart()
        if self._save.due and self.worker_id is not None:
            wait_seconds = WAIT_SECONDS if self._drain_until is None else 0.0
            self._reconciler.reconcile(self.worker_id, wait_seconds)
            self._save.restart()
        if self._rescue.due:
            dead_after = timedelta(seconds=self._settings.dead_after_seconds)
            self._membership.rescue_others(now, dead_after)
            self._rescue.restart()

    def _beat_once(self, now: datetime) -> None:
        try:
            status = self._membership.beat(now, self._executors.activity)
        except WrongEnvironment as error:
            if self.worker_id is None:
                raise
            # It came to belong to another one: what runs may end, and nothing more begins.
            log.error("takes nothing new: %s", error)
            self._refused, self._membership.environment = error, None
            self._drain()
            return
        if status is WorkerStatus.DRAINING and self._drain_until is None:
            log.info("draining, as somebody asked")
            self._drain_until = inf

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while not self._executors.is_ready and time.monotonic() < until:
            self._results.add(self._executors.poll(SAVE_SECONDS))

    def _save_and_claim(self, now: datetime, moment: float | None = None) -> int:
        """Save the reports and claim runs for the free slots; return how many were claimed."""
        requests = self._executors.claim_requests() if self._drain_until is None else []
        # Save ends first, if the claim may wait for others or may be what failed the last time.
        if not requests or self._claimer.waits or self._backoff_seconds:
            self._results.write(now, moment)
            self._finish.restart()
        if not requests or self.worker_id is None:
            return 0
        # Before the claim: a notification that arrives meanwhile makes the next one due.
        self._claim.restart()
        claim = partial(self._claimer.claim, worker_id=self.worker_id, requests=requests, now=now)
        # In one transaction, because the shortest runs take not much longer than one.
        runs = self._results.save_and_claim(now, moment, claim)
        self._finish.restart()
        self._found_nothing = not runs
        for run in runs:
            seconds = run.seconds(self._jobs[run.job_name].timeout_seconds, now)
            self._executors.start(run, seconds)
        return len(runs)

    def _holds_nothing(self) -> bool:
        return not self._executors.running and not self._results.pending

    def _is_idle(self) -> bool:
        return self._found_nothing and self._holds_nothing()

    def _may_leave(self, stop: Stop) -> bool:
        """Return whether nothing is left to do, or nothing more may be waited for."""
        if stop.requests and self._drain_until in (None, inf):
            self._drain()
        if self._drain_until is None:
            return False
        is_over = stop.requests > 1 or time.monotonic() >= self._drain_until
        return is_over or self._holds_nothing()

    def _drain(self) -> None:
        log.info("stopping: takes nothing new, waits %.0f s for what runs", self.drain_seconds)
        self._drain_until = time.monotonic() + self.drain_seconds
        try:
            self._membership.drain()
        except TRANSIENT as error:
            log.warning("the database is away while stopping: %s", short_error(error))
