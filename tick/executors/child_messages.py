"""What comes from a child process, as reports about its runs."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tick.executors.bounds import MAX_MESSAGE, cut
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import LogReport, ProgressReport, Report
from tick.executors.framing import FrameParser
from tick.executors.log_lines import Line
from tick.executors.partial_line import LineBuffer
from tick.executors.protocol import Message
from tick.states import LogLevel

log = logging.getLogger(__name__)

RunOf = Callable[[Claim | None], ClaimedRun | None]


@dataclass(frozen=True)
class Output:
    """What came from a child's output pipe: lines of programs, and messages of its copies."""

    lines: Sequence[str] = ()
    messages: Sequence[Message] = ()

    def __add__(self, other: "Output") -> "Output":
        return Output([*self.lines, *other.lines], [*self.messages, *other.messages])


class OutputReader:
    """Bytes of an output pipe in, lines and messages out."""

    def __init__(self) -> None:
        self._frames, self._lines = FrameParser(), LineBuffer()

    def feed(self, chunk: bytes, now: float) -> Output:
        """What the bytes complete."""
        others, messages = self._frames.feed(chunk)
        return Output(self._lines.feed(others, now), messages)

    def due(self, now: float) -> Output:
        """What was begun a second ago and nothing has ended."""
        return Output(self._lines.due(now))

    def end(self) -> Output:
        """The last line, if nothing ended it."""
        return Output([*self._lines.feed(self._frames.end(), 0.0), *self._lines.end()])


def reports_from_message(run: ClaimedRun, message: Message) -> list[Report]:
    """What a process says about its run while it goes on."""
    match message:
        case {"lines": lines, "lost": lost}:
            return [LogReport(run, [Line.from_json(line) for line in lines], lost)]
        case {"progress": [fraction, text]}:
            return [ProgressReport(run, fraction, text)]
    return []


def reports_from_output(output: Output, run_of: RunOf, now: datetime, pid: int) -> list[Report]:
    """What came by the output pipe; `run_of` finds the run of a claim, or the current one.

    What belongs to no run goes to the worker's own log.
    """
    reports: list[Report] = []
    for message in output.messages:
        claim = message.get("claim")
        if (run := run_of(claim and tuple(claim))) is not None:
            reports += reports_from_message(run, message)
        else:
            _log(pid, (line[2] for line in message.get("lines", ())))
    if (current := run_of(None)) is None:
        _log(pid, output.lines)
    elif output.lines:
        lines = [Line(now, LogLevel.INFO, cut(text, MAX_MESSAGE)) for text in output.lines]
        reports.append(LogReport(current, lines))
    return reports


def _log(pid: int, texts: Iterable[str]) -> None:
    for text in texts:
        log.info("child %d: %s", pid, cut(text, MAX_MESSAGE))
