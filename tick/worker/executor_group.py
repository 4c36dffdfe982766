"""Joins the executors of a worker, child processes and threads, and says what each may be given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tick.clock import now as host_now
from tick.define.jobs import JobDefinition
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import EndReport, Executor, Report
from tick.executors.prefetch import PrefetchController
from tick.executors.process_pool import ProcessPool
from tick.executors.thread_pool import BATCH_SECONDS, ThreadPool
from tick.settings import Settings
from tick.states import Isolation

Jobs = Mapping[str, JobDefinition]


@dataclass(frozen=True)
class ClaimRequest:
    """Asks for at most `most` runs of these jobs.

    Runs that are claimed `ahead` wait for a slot; the others begin at once.
    """

    jobs: Jobs
    most: int
    ahead: bool


@dataclass(frozen=True)
class AssignedExecutor:
    """An executor, the jobs assigned to it, and how many of their runs to claim ahead."""

    executor: Executor
    jobs: Jobs
    prefetch: PrefetchController

    def claim_requests(self) -> list[ClaimRequest]:
        """Return what may be claimed for this executor now."""
        # Only runs of idempotent jobs are claimed ahead: if the worker dies, they run elsewhere,
        # while every other run that it holds counts as begun.
        ahead = self.prefetch.missing(self.executor.waiting)
        requests = [
            ClaimRequest(self.jobs, self.executor.free, ahead=False),
            ClaimRequest(self._repeatable, ahead, ahead=True),
        ]
        return [request for request in requests if request.jobs and request.most > 0]

    def note(self, reports: Iterable[Report]) -> None:
        """Note how long runs took, of those jobs whose runs may be claimed ahead."""
        ended = [report for report in reports if isinstance(report, EndReport)]
        begun = [report for report in ended if report.began is not None]
        self.prefetch.note([end.took for end in begun if end.run.job_name in self._repeatable])

    @cached_property
    def _repeatable(self) -> Jobs:
        return {name: job for name, job in self.jobs.items() if job.idempotent}


def assign(executor: Executor, jobs: Jobs) -> AssignedExecutor:
    """Assign jobs to an executor; nothing is claimed ahead until its first runs have ended."""
    return AssignedExecutor(executor, jobs, PrefetchController(executor.slots))


class ExecutorGroup:
    """Makes the executors of a worker look like one."""

    def __init__(self, members: Sequence[AssignedExecutor]) -> None:
        self._first, *self._others = self._members = list(members)
        self._member_of = {name: member for member in members for name in member.jobs}

    @property
    def is_ready(self) -> bool:
        """Return whether every slot is free."""
        return all(member.executor.free >= member.executor.slots for member in self._members)

    @property
    def slots(self) -> int:
        """Return how many runs can be executed at one time."""
        return sum(member.executor.slots for member in self._members)

    @property
    def warm(self) -> int:
        """Return how many slots exist by now, free or not."""
        return sum(member.executor.warm for member in self._members)

    @property
    def waiting(self) -> int:
        """Return how many runs have not begun."""
        return sum(member.executor.waiting for member in self._members)

    @property
    def running(self) -> list[ClaimedRun]:
        """Return the runs that were given and have not ended."""
        return [run for member in self._members for run in member.executor.running]

    @property
    def begun(self) -> dict[Claim, float]:
        """Return the runs that are being executed, and since which `time.monotonic` instant."""
        begun = [member.executor.begun for member in self._members]
        return {claim: at for part in begun for claim, at in part.items()}

    @property
    def activity(self) -> str:
        """Return the jobs that run, or "idle", for the console."""
        if running := ", ".join(run.job_name for run in self.running):
            return running
        return "idle" if self.warm else "waits for its child processes to start"

    def claim_requests(self) -> list[ClaimRequest]:
        """Return what may be claimed now."""
        return [request for member in self._members for request in member.claim_requests()]

    def start(self, run: ClaimedRun, timeout_seconds: float) -> None:
        """Give the run to the executor of its job."""
        self._of(run).start(run, timeout_seconds)

    def take_back(self, waiting_seconds: float) -> list[ClaimedRun]:
        """Return the runs that have waited for so long without beginning; they will not begin."""
        taken = [member.executor.take_back(waiting_seconds) for member in self._members]
        return [run for runs in taken for run in runs]

    def poll(self, timeout_seconds: float) -> list[Report]:
        """Return what happened since the last call; wait up to `timeout_seconds` if nothing did."""
        # Only the first executor waits; the others wake it, but not for every end while they have
        # runs waiting. Read `waiting` before polling them: an end that they keep to themselves
        # after that is fetched by the last poll.
        goes_on = any(member.executor.waiting for member in self._others)
        wait = min(timeout_seconds, BATCH_SECONDS) if goes_on else timeout_seconds
        reports = self._poll(self._others, 0)
        reports += self._poll([self._first], 0 if reports else wait)
        return reports or self._poll(self._others, 0)

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
        """Kill what can be killed and free all resources; return ends that were not reported."""
        return [report for member in self._members for report in member.executor.close()]

    def _of(self, run: ClaimedRun) -> Executor:
        return self._member_of[run.job_name].executor

    def _poll(self, members: Sequence[AssignedExecutor], timeout_seconds: float) -> list[Report]:
        all_reports: list[Report] = []
        for member in members:
            reports = member.executor.poll(timeout_seconds)
            member.note(reports)
            all_reports += reports
        return all_reports


def build_executors(jobs: Jobs, settings: Settings, *, with_threads: bool) -> ExecutorGroup:
    """Return child processes, and threads for the jobs that ask for them.

    Without threads, all jobs run in child processes, which can be killed.
    """
    asking = {name: job for name, job in jobs.items() if job.isolation == Isolation.THREAD}
    threaded = asking if with_threads else {}
    killable = {name: job for name, job in jobs.items() if name not in threaded}
    members, wake = [], None
    # Processes without any job at all, too: a group polls its first executor.
    if killable or not threaded:
        pool = ProcessPool(settings.definitions, settings.worker_processes, host_now)
        members, wake = [assign(pool, killable)], pool.wake
    if threaded:
        threads = ThreadPool(threaded, settings.worker_threads, host_now, wake)
        members.append(assign(threads, threaded))
    return ExecutorGroup(members)
