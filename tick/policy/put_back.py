"""Plans which runs of an occurrence go back to the queue with those that are retried. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from tick.states import RunStatus

ENDED_BADLY = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.SKIPPED)


@dataclass(frozen=True)
class RunNode:
    """A run in its occurrence; it can't start without the success of its `needs`."""

    id: int
    job_name: str
    status: RunStatus
    needs: frozenset[int] = frozenset()
    # None for a run that was skipped by its own condition: no other run's retry changes that.
    skipped_for: int | None = None

    @property
    def stays_behind(self) -> bool:
        """Whether it was skipped for another run, and not by itself."""
        return self.status is RunStatus.SKIPPED and self.skipped_for is not None


@dataclass(frozen=True)
class RequeuePlan:
    """The runs that a retry of an occurrence puts back (`again`), and the others."""

    again: frozenset[int]
    held: Mapping[int, int] = field(default_factory=dict)
    """Stay skipped, by id with the run that holds them."""
    left_out: frozenset[int] = frozenset()
    """Stay skipped although the run that held them goes back: a person wants that one alone."""

    def alone(self, chosen: Collection[int]) -> "RequeuePlan":
        """Return the plan without the runs that go along with the chosen."""
        return replace(self, again=frozenset(chosen), left_out=self.again - set(chosen))


class RunGraph:
    """The runs of one occurrence with their dependencies."""

    def __init__(self, runs: Collection[RunNode]) -> None:
        self._runs = {run.id: run for run in runs}
        self._below: dict[int, list[int]] = {}
        for run in runs:
            for need in run.needs:
                self._below.setdefault(need, []).append(run.id)

    def __iter__(self) -> Iterator[RunNode]:
        return iter(self._runs.values())

    def __getitem__(self, run_id: int) -> RunNode:
        return self._runs[run_id]

    def blocker_of(self, run_id: int, again: Collection[int] = ()) -> RunNode | None:
        """Return a run that keeps this one from going back: it ended badly and stays so."""
        # In order of id, so that two looks at one occurrence name the same run.
        needs = (self._runs[need] for need in sorted(self._runs[run_id].needs))
        return next((n for n in needs if n.status in ENDED_BADLY and n.id not in again), None)

    def to_retry(self) -> list[int]:
        """Return the runs to retry if the whole occurrence is retried."""
        bad = [run.id for run in self if run.status in (RunStatus.FAILED, RunStatus.CANCELLED)]
        # A retry of one run alone leaves those that were skipped for it behind.
        left_out = [run.id for run in self if self._is_left_out(run)]
        return bad + [run_id for run_id in left_out if self.blocker_of(run_id, bad) is None]

    def with_what_waits(self, chosen: Collection[int]) -> RequeuePlan:
        """Return the chosen, and the runs skipped for them that nothing else holds back."""
        again = set(chosen) | self._skipped_below(chosen)
        held: dict[int, int] = {}
        # A run that is held back holds those below it: they become doubtful in turn.
        doubtful = again - set(chosen)
        while doubtful:
            run_id = doubtful.pop()
            blocker = self.blocker_of(run_id, again) if run_id in again else None
            if blocker is not None:
                again.discard(run_id)
                held[run_id] = blocker.id
                doubtful |= again.intersection(self._below.get(run_id, ())) - set(chosen)
        return RequeuePlan(frozenset(again), {run: self._root_of(run, held) for run in held})

    def queued(self, again: Collection[int]) -> "RunGraph":
        """Return the graph with these runs in the queue."""
        back = (self._runs[id] for id in again)
        changed = {run.id: replace(run, status=RunStatus.QUEUED, skipped_for=None) for run in back}
        return RunGraph((self._runs | changed).values())

    def _is_left_out(self, run: RunNode) -> bool:
        root = self._runs.get(run.skipped_for) if run.skipped_for is not None else None
        return run.stays_behind and root is not None and root.status is RunStatus.SUCCESS

    def _skipped_below(self, chosen: Collection[int]) -> set[int]:
        found: set[int] = set()
        waiting = list(chosen)
        while waiting:
            for run_id in self._below.get(waiting.pop(), ()):
                if run_id not in found and self._runs[run_id].stays_behind:
                    found.add(run_id)
                    waiting.append(run_id)
        return found

    def _root_of(self, run_id: int, held: Mapping[int, int]) -> int:
        """Return the run at the root: the blocker's blocker, where that stays behind itself."""
        root = held[run_id]
        while root in held:
            root = held[root]
        known = self._runs[root]
        return known.skipped_for if known.stays_behind and known.skipped_for is not None else root
