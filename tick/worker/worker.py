"""The worker: claims ready runs, has them executed, and finishes them; a loop around the engine.

It reads the clock and opens the transactions. What becomes of a run is the engine's to say.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from math import inf

from tick.engine.runs.heartbeat import beat, drain_worker, register_worker, stop_worker
from tick.engine.runs.rescue import cancel_orphans, rescue_dead_workers
from tick.engine.runs.settle import settle_forgotten
from tick.executors.executor import Ended, Executor
from tick.runtime import Runtime
from tick.states import RunStatus, WorkerStatus, WorkerType
from tick.stop import Stop
from tick.store.database import TRANSIENT, short_error
from tick.timers import CarriedClock, Every
from tick.utc import utc
from tick.worker.claimer import Claimer
from tick.worker.executor_group import Crew, hire, new_lane
from tick.worker.reconcile import Custody
from tick.worker.result_writer import Saver
from tick.worker.wakeup import Listener

log = logging.getLogger(__name__)

FINISH_SECONDS = 0.1
"""How long ends may wait for others while further runs are at hand."""
CLOCK_SECONDS = 1.0
"""How often the clock of the database is asked."""
SETTLE_SECONDS = 0.1
"""How often occurrences are settled while there are runs."""
GATHER_SECONDS = 0.001
"""How long an end waits for others that are as near, so that one commit does for all."""
SAVE_SECONDS = 1.0
"""How often lines and progress are written, and cancellations looked for."""
WAIT_SECONDS = 1.0
"""How long a claimed run may wait for a slot before others may have it."""
RESCUE_SECONDS = 30.0
ORPHANED_AFTER = timedelta(hours=1)
READY_SECONDS = 60.0
"""How long `run_once` waits for the child processes to be warm."""
LEAVE_SECONDS = 5.0
"""How long a stopped worker goes on trying to reach a database that is away."""
_LONGEST_PAUSE_SECONDS = 5.0
_GOODBYE_SECONDS = 0.5


class Worker:
    """One worker process.

    Runs are executed by `settings.worker_processes` child processes, and by threads where a job
    asks for them, unless `with_threads` is off. An `executor` takes the place of both. `queues`
    narrows what is claimed. `now` stands in for the runtime's clock.
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
        self.worker_id: str | None = None
        self.drain_seconds = settings.drain_seconds
        self._settings, self._database = settings, runtime.database
        self._jobs = runtime.jobs
        self._queues = queues
        self._now = now or runtime.now
        self._claimer = Claimer(self._jobs, settings, queues, self._now)
        # Where rows are to show that a limit was kept, they are told apart by the clock itself.
        is_carried = now is None and not self._claimer.waits
        self._clock = CarriedClock(self._now, CLOCK_SECONDS if is_carried else 0.0)
        if executor is None:
            self._crew = hire(self._jobs, settings, with_threads=with_threads)
        else:
            self._crew = Crew([new_lane(executor, self._jobs)])
        self._saver = Saver(self._database, self._jobs, settings.log_lines)
        self._custody = Custody(self._database, self._crew, self._saver)
        self._found_nothing = False
        self._drain_until: float | None = None
        self._has_left = False
        self._pause = 0.0
        self._talk = Every(0)
        self._beat = Every(settings.heartbeat_seconds)
        self._finish = Every(FINISH_SECONDS)
        self._settle = Every(SETTLE_SECONDS)
        self._save = Every(SAVE_SECONDS)
        self._claim = Every(settings.worker_poll_seconds)
        self._rescue = Every(RESCUE_SECONDS)

    def run_once(self, now: datetime) -> int:
        """One turn of the crank: claim what is ready, run it to its end, finish it; how many."""
        now = utc(now, "now")
        self._beat_once(now)
        self._wait_for_crew()
        claimed = self._exchange(now)
        while self._crew.running:
            self._saver.add(self._crew.poll(SAVE_SECONDS))
            self._saver.save(now)
        return claimed

    def serve(self, stop: Stop, seconds: float = inf) -> bool:
        """Work until asked to stop, then drain for `drain_seconds`, by default the setting.

        With `seconds` it asks itself, when they are over or nothing is ready; True for the latter.
        """
        until = time.monotonic() + seconds
        try:
            with closing(Listener(self._database, self._hear)):
                while not self._may_leave(stop):
                    self._turn()
                    is_over = seconds < inf and (self._is_idle() or time.monotonic() >= until)
                    if is_over and not stop.requests:
                        stop()
            return self._is_idle()
        finally:
            self.close()

    @property
    def statuses(self) -> Mapping[RunStatus, int]:
        """How many runs it ended or put back, by the status that they got."""
        return self._saver.statuses

    def close(self) -> None:
        """Kill what runs, give it back to the queue, and say that this worker stopped."""
        if not self._has_left:
            self._leave()

    def _hear(self) -> None:
        """Runs may have become ready; from the listener's thread."""
        self._claim.hurry()
        self._crew.wake()

    def _turn(self) -> None:
        """One round: talk to the database if it is there, then hear what the runs say."""
        if self._talk.due and self._has_to_talk():
            try:
                moment, now = self._clock.read()
                self._converse(now, moment)
                self._pause = 0.0
            except TRANSIENT as error:
                self._pause = min(_LONGEST_PAUSE_SECONDS, 2 * self._pause + 0.25)
                self._talk.done(after=self._pause)
                self._claim.hurry()
                log.warning(
                    "the database is away, next try in %.1f s: %s", self._pause, short_error(error)
                )
        self._hear_runs()

    def _hear_runs(self) -> None:
        """Wait for what the runs say, but for nothing else longer than it may wait."""
        warm = self._crew.warm
        longest = SETTLE_SECONDS if self._saver.pending else SAVE_SECONDS
        self._saver.add(self._crew.poll(min(self._settings.worker_poll_seconds, longest)))
        until = time.monotonic() + GATHER_SECONDS
        while self._saver.is_urgent and self._crew.running and not self._crew.waiting:
            if (left := until - time.monotonic()) <= 0:
                break
            self._saver.add(self._crew.poll(left))
        if self._crew.warm > warm:
            # A slot has come into being, for what an earlier claim had no room for.
            self._claim.hurry()

    def _has_to_talk(self) -> bool:
        duties = (self._beat, self._save, self._rescue)
        has_to = self._has_to_finish() or self._has_to_settle() or self._has_to_claim()
        return has_to or any(duty.due for duty in duties)

    def _has_to_finish(self) -> bool:
        """Ends are saved at once, or together while there is enough to do."""
        return self._saver.is_urgent and (not self._crew.waiting or self._finish.due)

    def _has_to_settle(self) -> bool:
        return self._saver.is_unsettled and (self._settle.due or not self._crew.running)

    def _has_to_claim(self) -> bool:
        """A claim that is due waits for a slot."""
        return self._claim.due and self._drain_until is None and bool(self._crew.portions())

    def _converse(self, now: datetime, moment: float) -> None:
        if self._beat.due:
            self._beat_once(now)
            self._beat.done()
        if self._has_to_finish() or self._has_to_claim():
            self._exchange(now, moment)
        elif self._save.due:
            self._saver.write(now, moment)
        if self._has_to_settle():
            if self._saver.settle(now):
                # What waited for an end may be ready only now.
                self._claim.hurry()
                self._found_nothing = False
            self._settle.done()
        if self._save.due and self.worker_id is not None:
            patience = WAIT_SECONDS if self._drain_until is None else 0.0
            self._custody.compare(self.worker_id, patience)
            self._save.done()
        if self._rescue.due:
            self._rescue_once(now)
            self._rescue.done()

    def _beat_once(self, now: datetime) -> None:
        """Beat; register first, or anew if others declared this worker dead."""
        self._database.want_file()
        status = None
        with self._database.write.begin() as connection:
            if self.worker_id is not None:
                status = beat(connection, self.worker_id, now, self._activity())
            if status is None:
                registered = register_worker(
                    connection,
                    worker_type=WorkerType.JOB_WORKER,
                    now=now,
                    abilities=self._abilities(),
                )
        if status is None:
            if self.worker_id is not None:
                log.warning("worker %s was declared dead; going on anew", self.worker_id)
                self._custody.lose()
            self.worker_id = registered
        elif status is WorkerStatus.DRAINING and self._drain_until is None:
            log.info("draining, as somebody asked")
            self._drain_until = inf

    def _activity(self) -> str:
        running = ", ".join(run.job_name for run in self._crew.running)
        return running or ("idle" if self._crew.warm else "waits for its child processes to start")

    def _abilities(self) -> dict[str, object]:
        return {
            "queues": None if self._queues is None else sorted(self._queues),
            "jobs": sorted(self._jobs),
        }

    def _wait_for_crew(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while not self._crew.is_ready and time.monotonic() < until:
            self._saver.add(self._crew.poll(SAVE_SECONDS))

    def _exchange(self, now: datetime, moment: float | None = None) -> int:
        """Save what was reported, and claim for what is free by then; how many were claimed.

        Both in one transaction, for the shortest runs are not much longer than one; but ends do
        not wait for a claim that waits itself, or that may have been what failed the last time.
        """
        portions = self._crew.portions() if self._drain_until is None else []
        if not portions or self._claimer.waits or self._pause:
            self._saver.write(now, moment)
            self._finish.done()
        if not portions or self.worker_id is None:
            return 0
        # In this order: what is heard of meanwhile is looked for by the next claim.
        self._claim.done()
        claim = partial(self._claimer.claim, worker_id=self.worker_id, portions=portions, now=now)
        runs = self._saver.exchange(now, moment, claim)
        self._finish.done()
        self._found_nothing = not runs
        for run in runs:
            self._crew.start(run, self._jobs[run.job_name].timeout_seconds)
        return len(runs)

    def _rescue_once(self, now: datetime) -> None:
        dead_after = timedelta(seconds=self._settings.dead_after_seconds)
        with self._database.write.begin() as connection:
            rescued = rescue_dead_workers(connection, now, dead_after)
            cancel_orphans(connection, now, ORPHANED_AFTER, self._jobs)
        with self._database.write.begin() as connection:
            settle_forgotten(connection, now)
        for worker_id in rescued.workers:
            log.warning("worker %s stopped beating and was declared dead", worker_id)

    def _is_idle(self) -> bool:
        """Whether it holds nothing, and its last look found nothing to claim."""
        return self._found_nothing and not self._crew.running and not self._saver.pending

    def _may_leave(self, stop: Stop) -> bool:
        """Whether nothing is left to do, or nothing more may be waited for."""
        if stop.requests and self._drain_until in (None, inf):
            self._drain()
        if self._drain_until is None:
            return False
        done = not self._crew.running and not self._saver.pending
        return done or stop.requests > 1 or time.monotonic() >= self._drain_until

    def _drain(self) -> None:
        log.info("stopping: takes nothing new, waits %.0f s for what runs", self.drain_seconds)
        self._drain_until = time.monotonic() + self.drain_seconds
        if self.worker_id is not None:
            try:
                with self._database.write.begin() as connection:
                    drain_worker(connection, self.worker_id)
            except TRANSIENT as error:
                log.warning("the database is away while stopping: %s", short_error(error))

    def _leave(self) -> None:
        """Give back what has not ended, without burning its attempt, and say goodbye."""
        self._has_left = True
        unfinished = self._crew.take_back(0)
        self._saver.add(self._crew.poll(0))
        unfinished += self._crew.running
        last = self._crew.close()
        self._saver.add(last)
        ended = {report.run.claim for report in last if isinstance(report, Ended)}
        given_back = (run for run in unfinished if run.claim not in ended)
        self._saver.release(given_back, "its worker stopped")
        until = time.monotonic() + LEAVE_SECONDS
        while self.worker_id is not None:
            try:
                self._say_goodbye(self.worker_id)
            except TRANSIENT as error:
                log.warning("the database is away while stopping: %s", short_error(error))
                if time.monotonic() >= until:
                    return
                time.sleep(_GOODBYE_SECONDS)

    def _say_goodbye(self, worker_id: str) -> None:
        now = self._now()
        self._saver.save(now)
        with self._database.write.begin() as connection:
            stop_worker(connection, worker_id, now)
        self.worker_id = None
