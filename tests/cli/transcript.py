"""Sessions at the command line, written down: what is typed, and what is read.

A transcript is a text of blocks. Each begins with the command, as a shell takes it; what follows is
what it prints, on both streams, and its exit status in brackets unless that is 0.

    $ tick enable yearly
    Error: No schedule is called 'yearly'.
    [1]

`***` stands for what is random. What --json prints is compared as JSON, of which the transcript
holds as much as matters: of an object some keys, of a list all items. Lines that begin with `#` are
stage directions: `# A worker works.`, `# 90 minutes pass.`, and before a command that goes on for
ever `# It is stopped when it has ticked.` All begins with definitions that are synced, unless the
first line says otherwise.
"""

import json
import os
import re
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import Result

from tests.cli.conftest import CommandLine
from tests.support.postgres import free_port
from tick.engine.runs.heartbeat import register_worker
from tick.notify.dispatcher import NotificationDispatcher
from tick.runtime import Runtime
from tick.settings import Settings
from tick.states import RunStatus, WorkerStatus, WorkerType
from tick.store.tables import job_run, tick_log, worker_instance

FOLDER = Path(__file__).parent / "transcripts"
UNSYNCED = "# Nothing is synced yet."
_STARTS = re.compile(r"^(?=[$#] )", re.MULTILINE)
_STATUS = re.compile(r"^\[(\d+)\]\Z", re.MULTILINE)
_PASSES = re.compile(r"(\d+) minutes? pass")
_WHEN = re.compile(r"It is stopped when it (.+)\.")
_SELF = re.compile(r"cli:[\w.-]+|token:admin")


@dataclass(frozen=True)
class Call:
    """A command with its environment and standard input, and what is to be read then."""

    line: str
    expected: str
    status: int

    @property
    def words(self) -> list[str]:
        """The command without `tick`."""
        words = self._parts[2]
        return words[words.index("tick") + 1 :]

    @property
    def environment(self) -> dict[str, str]:
        """What stands before `tick`."""
        words = self._parts[2]
        return dict(word.split("=", 1) for word in words[: words.index("tick")])

    @property
    def stdin(self) -> str:
        """What `echo` pipes into it."""
        echo, pipe, _ = self._parts
        return f"{shlex.split(echo)[1]}\n" if pipe else ""

    @property
    def asks_for_json(self) -> bool:
        """Whether it wants JSON."""
        return "--json" in self.words

    @property
    def complains(self) -> bool:
        """Whether it ends with a message on what is wrong."""
        return re.search("^Error: ", self.expected, re.MULTILINE) is not None

    @property
    def _parts(self) -> tuple[str, str, list[str]]:
        echo, pipe, command = self.line.rpartition(" | ")
        return echo, pipe, shlex.split(command)


def blocks(text: str) -> Iterator[Call | str]:
    """The calls and the stage directions of a transcript, in order."""
    for block in _STARTS.split(text):
        first, _, rest = block.strip().partition("\n")
        if first.startswith("# "):
            yield first.removeprefix("# ")
        elif first:
            status = _STATUS.search(rest)
            expected = _STATUS.sub("", rest).rstrip()
            yield Call(first.removeprefix("$ "), expected, int(status[1]) if status else 0)


class Stage:
    """Plays transcripts next to the database, on a clock that stands still unless told."""

    def __init__(self, near: CommandLine, now: datetime) -> None:
        self.near, self.now = near, now
        self.worker, self.port = "", str(free_port())
        self.until: Callable[[sa.Connection], bool] | None = None

    def play(
        self,
        text: str,
        far: CommandLine | None = None,
        works_there: Callable[[Call], bool] = lambda _: False,
    ) -> None:
        """Do all that stands there, what `works_there` from afar."""
        if not text.startswith(UNSYNCED):
            self.near.good("sync")
        for block in blocks(text):
            if isinstance(block, str):
                self._direct(block)
            else:
                self._check(block, far if far and works_there(block) else self.near)

    def _direct(self, said: str) -> None:
        if passes := _PASSES.match(said):
            self.now += timedelta(minutes=int(passes[1]))
        elif said.startswith("A worker works"):
            self.near.work()
        elif said.startswith("A worker comes to life"):
            with self.near.database.write.begin() as connection:
                self.worker = register_worker(
                    connection, worker_type=WorkerType.JOB_WORKER, now=self.now, abilities={}
                )
        elif stopped := _WHEN.match(said):
            self.until = _SIGNS[stopped[1]]
        elif said.startswith("A watcher makes its round"):
            NotificationDispatcher(Runtime(Settings(), self.near.database)).run_once()

    def _check(self, call: Call, line: CommandLine) -> None:
        known = {"$WORKER": self.worker, "$PORT": self.port}
        words = [known.get(word, word) for word in call.words]
        with self._stopping():
            result = line(*words, stdin=call.stdin, **call.environment)
        said = read(result).replace(self.port, "$PORT")
        where = f"$ {call.line}\n{said}"
        assert result.exit_code == call.status, where
        if call.asks_for_json and not call.complains:
            assert contains(json.loads(result.stdout), json.loads(call.expected)), where
        else:
            assert matches(said, call.expected), f"{where}\n--- is not ---\n{call.expected}"

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Send SIGTERM to the command inside, when the database shows what is waited for."""
        if self.until is None:
            yield
            return
        until, self.until, over = self.until, None, threading.Event()

        def stop_in_time() -> None:
            while not over.wait(0.05):
                with self.near.database.read.connect() as connection:
                    if until(connection):
                        os.kill(os.getpid(), signal.SIGTERM)
                        return

        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it may come a moment too late
        stopper = threading.Thread(target=stop_in_time)
        stopper.start()
        try:
            yield
        finally:
            over.set()
            stopper.join()
            for number, handler in before.items():
                signal.signal(number, handler)


def _has(query: sa.Select[Any], number: int = 1) -> Callable[[sa.Connection], bool]:
    return lambda connection: len(connection.execute(query).all()) >= number


_SIGNS = {
    "has ticked": _has(sa.select(tick_log.c.id)),
    "has worked": _has(sa.select(job_run.c.id).where(job_run.c.status == RunStatus.SUCCESS)),
    "serves": _has(
        sa.select(worker_instance.c.id).where(worker_instance.c.status == WorkerStatus.RUNNING), 2
    ),
}


def read(result: Result) -> str:
    """What stands on the terminal afterwards; whoever acts is called ME."""
    return _SELF.sub("ME", result.output).rstrip()


def matches(said: str, expected: str) -> bool:
    """Whether it is what is expected, but for what is random."""
    pattern = ".*".join(re.escape(part) for part in expected.split("***"))
    return re.fullmatch(pattern, said, re.DOTALL) is not None


def contains(found: Any, expected: Any) -> bool:
    """Whether the JSON value has all that is expected."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and contains(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(contains, found, expected))
    if isinstance(expected, str):
        return isinstance(found, str) and matches(_SELF.sub("ME", found), expected)
    return bool(found == expected)
