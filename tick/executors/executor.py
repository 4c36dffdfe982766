"""The interface of an executor, and the reports about its runs."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tick.executors.bounds import MAX_MESSAGE, cut
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.log_lines import Line
from tick.executors.protocol import Message
from tick.policy.retry import AttemptEnd
from tick.states import LogLevel

log = logging.getLogger(__name__)
Output = Sequence[str | Message]
"""Came from a child's output pipe: lines of programs, and messages of its forked copies."""
CANCEL_SECONDS = 5.0  # between asking a run to stop and making it stop


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
    """The attempt is over: it `began` at a `time.monotonic` instant or never; it `took` seconds."""

    run: ClaimedRun
    end: AttemptEnd
    began: float | None = None
    took: float = 0.0


Report = LogReport | ProgressReport | EndReport


class Executor(Protocol):
    """Executes runs. Not thread-safe: one worker drives it by calling `poll`."""

    @property
    def slots(self) -> int:
        """Return how many runs it can execute at one time."""

    @property
    def warm(self) -> int:
        """Return how many of its slots exist by now, free or not."""

    @property
    def free(self) -> int:
        """Return how many runs it would begin immediately."""

    @property
    def waiting(self) -> int:
        """Return how many of the runs it was given have not begun."""

    @property
    def running(self) -> Sequence[ClaimedRun]:
        """Return the runs that it was given and whose ends it has not reported."""

    @property
    def begun(self) -> Mapping[Claim, float]:
        """Return the runs that are being executed, and since which `time.monotonic` instant."""

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


def reports_from_message(run: ClaimedRun, message: Message) -> list[Report]:
    """Return the report in a message that a process sent while its run went on."""
    match message:
        case {"lines": lines, "lost": lost}:
            return [LogReport(run, [Line.from_json(line) for line in lines], lost)]
        case {"progress": [fraction, text]}:
            return [ProgressReport(run, fraction, text)]
    return []


def reports_from_output(
    output: Output, run_of: Callable[[Claim | None], ClaimedRun | None], now: datetime, pid: int
) -> list[Report]:
    """Return the reports in an output; `run_of` finds the run of a claim, or the current one.

    Output that belongs to no run goes to the worker's own log.
    """
    reports: list[Report] = []
    texts = [part for part in output if isinstance(part, str)]
    for message in (part for part in output if not isinstance(part, str)):
        claim = message.get("claim")
        if (run := run_of(claim and tuple(claim))) is not None:
            reports += reports_from_message(run, message)
        else:
            _log(pid, (line[2] for line in message.get("lines", ())))
    if (current := run_of(None)) is None:
        _log(pid, texts)
    elif texts:
        # A program's line brings no instant and no level of its own.
        lines = [Line(now, LogLevel.INFO, cut(text, MAX_MESSAGE)) for text in texts]
        reports.append(LogReport(current, lines))
    return reports


def _log(pid: int, texts: Iterable[str]) -> None:
    for text in texts:
        log.info("child %d: %s", pid, cut(text, MAX_MESSAGE))
