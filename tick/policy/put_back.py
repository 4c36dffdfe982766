"""Which runs of an occurrence go back to the queue with those that are retried. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from tick.states import RunStatus

ENDED_BADLY = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.SKIPPED)


@dataclass(frozen=True)
class RunNode:
    """A run in its occurrence.

    `needs` are the runs without whose success it can't start; `skipped_for` is the one for which
    it was skipped, which a condition of its own is not.
    """

    id: int
    job_name: str
    status: RunStatus
    needs: frozenset[int] = frozenset()
    skipped_for: int | None = None

    @property
    def stays_behind(self) -> bool:
        """Whether it was skipped for another run, and not by itself."""
        return self.status is RunStatus.SKIPPED and self.skipped_for is not None


@dataclass(frozen=True)
class RequeuePlan:
    """What a retry does to an occurrence.

    `again` go back. `held` stay skipped, for the run at their id. `left_out` stay skipped although
    what they were skipped for goes back, since somebody wants that alone.
    """

    again: frozenset[int]
    held: Mapping[int, int] = field(default_factory=dict)
    left_out: frozenset[int] = frozenset()

    def alone(self, chosen: Collection[int]) -> "RequeuePlan":
        """The same without what goes along with the chosen."""
        return replace(self, again=frozenset(chosen), left_out=self.again - set(chosen))


class RunGraph:
    """The runs of one occurrence, and which waits for which."""

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
        """A run that ended badly, is not among those that go back, and without which it can't."""
        needs = (self._runs[need] for need in sorted(self._runs[run_id].needs))
        return next((n for n in needs if n.status in ENDED_BADLY and n.id not in again), None)

    def to_retry(self) -> list[int]:
        """What a retry of the whole occurrence begins with.

        What failed or was cancelled, and what was skipped for a run that has succeeded since.
        """
        bad = [run.id for run in self if run.status in (RunStatus.FAILED, RunStatus.CANCELLED)]
        left_out = [run.id for run in self if self._is_left_out(run)]
        return bad + [run_id for run_id in left_out if self.blocker_of(run_id, bad) is None]

    def with_what_waits(self, chosen: Collection[int]) -> RequeuePlan:
        """The chosen, and down the line what was skipped for them and nothing else holds back."""
        again = set(chosen) | self._skipped_below(chosen)
        held: dict[int, int] = {}
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
        """The graph with these runs in the queue."""
        return RunGraph(
            [
                replace(run, status=RunStatus.QUEUED, skipped_for=None) if run.id in again else run
                for run in self
            ]
        )

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
        """What holds it back in the end: the blocker's blocker, where that stays behind itself."""
        root = held[run_id]
        while root in held:
            root = held[root]
        known = self._runs[root]
        return known.skipped_for if known.stays_behind and known.skipped_for is not None else root
