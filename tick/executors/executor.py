"""The interface of an executor, and the reports about its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.log_lines import Line
from tick.policy.retry import AttemptEnd

CANCEL_SECONDS = 5.0
"""Between asking a run to stop and making it stop."""


@dataclass(frozen=True)
class LogReport:
    """The run logged lines; `lost` earlier ones were dropped."""

    run: ClaimedRun
    lines: Sequence[Line]
    lost: int = 0


@dataclass(frozen=True)
class ProgressReport:
    """The run reported its progress: from 0 to 1, and in words."""

    run: ClaimedRun
    fraction: float
    text: str


@dataclass(frozen=True)
class EndReport:
    """The attempt is over. It `began` at an instant of `time.monotonic`, or never.

    From there it `took` so many seconds.
    """

    run: ClaimedRun
    end: AttemptEnd
    began: float | None = None
    took: float = 0.0


Report = LogReport | ProgressReport | EndReport


class Executor(Protocol):
    """Runs what it is given. Not thread-safe: one worker drives it by calling `poll`."""

    @property
    def slots(self) -> int:
        """How many runs it can execute at one time."""

    @property
    def warm(self) -> int:
        """How many of its slots exist by now, free or not."""

    @property
    def free(self) -> int:
        """How many runs it would begin immediately."""

    @property
    def waiting(self) -> int:
        """How many of the runs it was given have not begun."""

    @property
    def running(self) -> Sequence[ClaimedRun]:
        """The runs that it was given and whose ends it has not reported."""

    @property
    def begun(self) -> Mapping[Claim, float]:
        """The runs that are being executed, and since which `time.monotonic` instant."""

    def start(self, run: ClaimedRun, timeout_seconds: float) -> None:
        """Take the run, and begin it when there is a free slot.

        Once begun it ends at the latest after `timeout_seconds` and a short grace.
        """

    def take_back(self, waiting_seconds: float) -> list[ClaimedRun]:
        """Return the runs that have waited for so long without beginning; they will not begin."""

    def poll(self, timeout_seconds: float) -> list[Report]:
        """Return what happened since the last call; wait up to `timeout_seconds` if nothing did."""

    def wake(self) -> None:
        """End a `poll` that waits; from any thread."""

    def cancel(self, run: ClaimedRun) -> None:
        """Ask the run to stop, and make it stop a little later."""

    def kill(self, run: ClaimedRun) -> None:
        """Make the run stop now. Its end is not reported."""

    def close(self) -> Sequence[Report]:
        """Kill what runs and free all resources; return ends that were not reported."""
