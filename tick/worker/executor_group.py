"""Who executes a worker's runs, child processes and threads, and how much each may be given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tick.clock import now as host_now
from tick.define.jobs import JobDefinition
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import Ended, Executor, Report
from tick.executors.process_pool import ProcessPool
from tick.executors.thread_pool import BATCH_SECONDS, ThreadPool
from tick.settings import Settings
from tick.states import Isolation
from tick.timers import Appetite

Jobs = Mapping[str, JobDefinition]


@dataclass(frozen=True)
class Portion:
    """What may be claimed: at most so many runs of these jobs.

    Those that are claimed `ahead` wait for their turn; the others begin at once.
    """

    jobs: Jobs
    most: int
    ahead: bool


@dataclass(frozen=True)
class Lane:
    """An executor, the jobs that it executes, and its appetite."""

    executor: Executor
    jobs: Jobs
    appetite: Appetite

    def portions(self) -> list[Portion]:
        """What it may be given now.

        Only runs of idempotent jobs are claimed ahead: should the worker die, they run elsewhere,
        while any other run that it holds counts as begun.
        """
        executor = self.executor
        beyond, waiting = self.appetite.beyond, executor.waiting
        portions = [Portion(self.jobs, executor.free, ahead=False)]
        # Half a store is enough: many small claims cost more than few large ones.
        if 2 * waiting <= beyond:
            portions.append(Portion(self._repeatable, beyond - waiting, ahead=True))
        return [portion for portion in portions if portion.jobs and portion.most > 0]

    def note(self, reports: Iterable[Report]) -> None:
        """Learn how long the runs take that may be claimed ahead."""
        ended = [report for report in reports if isinstance(report, Ended)]
        self.appetite.note(
            [
                end.took
                for end in ended
                if end.began is not None and end.run.job_name in self._repeatable
            ]
        )

    @cached_property
    def _repeatable(self) -> Jobs:
        return {name: job for name, job in self.jobs.items() if job.idempotent}


def new_lane(executor: Executor, jobs: Jobs) -> Lane:
    """An executor for these jobs, without appetite yet."""
    return Lane(executor, jobs, Appetite(executor.slots))


class Crew:
    """The executors of one worker, as one."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._first, *self._others = self._lanes = list(lanes)
        self._lane_of = {name: lane for lane in lanes for name in lane.jobs}

    @property
    def is_ready(self) -> bool:
        """Whether every slot is free."""
        return all(lane.executor.free >= lane.executor.slots for lane in self._lanes)

    @property
    def warm(self) -> int:
        """How many slots are there, free or not."""
        return sum(lane.executor.warm for lane in self._lanes)

    @property
    def waiting(self) -> int:
        """How many runs have not begun."""
        return sum(lane.executor.waiting for lane in self._lanes)

    @property
    def running(self) -> list[ClaimedRun]:
        """The runs that were given and have not ended."""
        return [run for lane in self._lanes for run in lane.executor.running]

    @property
    def begun(self) -> dict[Claim, float]:
        """Those among them that are being executed, and since which `time.monotonic` instant."""
        return {claim: at for lane in self._lanes for claim, at in lane.executor.begun.items()}

    def portions(self) -> list[Portion]:
        """What may be claimed now."""
        return [portion for lane in self._lanes for portion in lane.portions()]

    def start(self, run: ClaimedRun, timeout_seconds: float) -> None:
        """Give the run to whoever executes its job."""
        self._of(run).start(run, timeout_seconds)

    def take_back(self, waiting_seconds: float) -> list[ClaimedRun]:
        """Give up the runs that have waited for so long."""
        return [run for lane in self._lanes for run in lane.executor.take_back(waiting_seconds)]

    def poll(self, timeout_seconds: float) -> list[Report]:
        """What happened since the last call; waits up to `timeout_seconds` if nothing did.

        The first lane is the one that waits; the others wake it, but not for every end while they
        have runs to go on with. That is asked first: what is withheld later, they are waited for.
        """
        goes_on = any(lane.executor.waiting for lane in self._others)
        wait = min(timeout_seconds, BATCH_SECONDS) if goes_on else timeout_seconds
        reports = self._hear(self._others, 0)
        reports += self._hear([self._first], 0 if reports else wait)
        return reports or self._hear(self._others, 0)

    def wake(self) -> None:
        """End a `poll` that waits; from any thread."""
        self._first.executor.wake()

    def cancel(self, run: ClaimedRun) -> None:
        """Ask the run to stop."""
        self._of(run).cancel(run)

    def kill(self, run: ClaimedRun) -> None:
        """Make the run stop now. Its end is not reported."""
        self._of(run).kill(run)

    def close(self) -> list[Report]:
        """Kill what can be killed, and give everything back; ends that were not reported."""
        return [report for lane in self._lanes for report in lane.executor.close()]

    def _of(self, run: ClaimedRun) -> Executor:
        return self._lane_of[run.job_name].executor

    def _hear(self, lanes: Sequence[Lane], timeout_seconds: float) -> list[Report]:
        heard: list[Report] = []
        for lane in lanes:
            reports = lane.executor.poll(timeout_seconds)
            lane.note(reports)
            heard += reports
        return heard


def hire(jobs: Jobs, settings: Settings, *, with_threads: bool) -> Crew:
    """Child processes, and threads for the jobs that ask for them.

    Without threads, all jobs run in child processes, which can be killed.
    """
    asking = {name: job for name, job in jobs.items() if job.isolation == Isolation.THREAD}
    threaded = asking if with_threads else {}
    killable = {name: job for name, job in jobs.items() if name not in threaded}
    if threaded and not killable:
        return Crew([new_lane(ThreadPool(threaded, settings.worker_threads, host_now), threaded)])
    pool = ProcessPool(settings.definitions, settings.worker_processes, host_now)
    lanes = [new_lane(pool, killable)]
    if threaded:
        threads = ThreadPool(threaded, settings.worker_threads, host_now, pool.wake)
        lanes.append(new_lane(threads, threaded))
    return Crew(lanes)
