"""Declares another program as a job, by `command`, and runs it."""

import logging
import os
import selectors
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, Unpack

from tick.define.jobs import DEFAULT_TIMEOUT_SECONDS, Policy, job
from tick.define.outcomes import Cancel, Retry, Skip, Snooze
from tick.environment import inherited_by_commands
from tick.executors.context import CurrentRun, current_run
from tick.executors.partial_line import LineBuffer
from tick.job_types.declare import Run, declare, resolve_secrets

Meaning = Retry | Cancel | Snooze | Skip | None
COMMAND = "__command__"
LINGER_SECONDS = 1.0  # no longer: processes that the program left may hold its pipes open
_POLL_SECONDS = 0.2
_READ_BYTES = 64 * 1024
_MOST_CODES, _MOST_SIGNALS = 255, 64


@dataclass(frozen=True)
class Command:
    """A program, how it is started, and what its exit codes mean. With `shell`, `argv` is text."""

    argv: str | Sequence[str]
    env: Mapping[str, str]
    cwd: str | None
    shell: bool
    exit_codes: Mapping[int, Meaning]


def command(
    name: str,
    argv: str | Sequence[str],
    *,
    group: str,
    description: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    shell: bool = False,
    exit_codes: Mapping[int, Meaning] | None = None,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    **policy: Unpack[Policy],
) -> Run:
    """Declare a program as a job; return a function that runs it.

    What the program writes goes to the job's log line by line, from stderr as warnings. It finds
    TICK_RUN_ID, TICK_ATTEMPT, TICK_FENCING_TOKEN and TICK_SCHEDULED_FOR (empty if nothing was due)
    in its environment, and gets SIGTERM when the run is cancelled.

    Args:
        name: unique name of the job.
        argv: the program and its arguments, which no shell reads; with `shell`, one text.
        group: the group it belongs to.
        description: one line for people; by default the command line.
        env: variables beside those of the worker; `secret:NAME` stands for the worker's variable
            NAME, or for what is in the file that NAME_FILE names.
        cwd: the folder to start it in; by default the worker's.
        shell: let /bin/sh read `argv`: command("free", "df -h | tail", shell=True, group="ops").
        exit_codes: exit code → Retry, Cancel, Snooze or Skip, or None for success. Without it, 0 is
            success and every other code a failure.
        timeout: seconds after which the run is killed and fails.
        policy: further options of `@job`.
    """
    folder = None if cwd is None else str(cwd)
    order = Command(argv, env or {}, folder, shell, exit_codes or {})

    def run() -> Any:
        return run_command(order)

    # For whoever takes it elsewhere: a function does not say what it starts.
    setattr(run, COMMAND, order)
    mistakes = list(_find_mistakes(order, can_retry=bool(policy.get("retries"))))
    if not description and not mistakes:  # a wrong `argv` can't be joined
        description = argv if isinstance(argv, str) else shlex.join(argv)
    words = description or ""
    declared = job(name=name, group=group, description=words, timeout=timeout, **policy)
    return declare(run, declared, mistakes)


def _find_mistakes(order: Command, *, can_retry: bool) -> Iterator[str]:
    yield from _in_argv(order.argv, is_text=order.shell)
    env: Mapping[Any, Any] = order.env
    for name, value in env.items():
        if not isinstance(value, str):
            yield f"env {name} is {value!r}; write a text."
    for code, meaning in order.exit_codes.items():
        if wrong := _why_no_code(code, meaning, can_retry=can_retry):
            yield f"exit code {code!r} {wrong}."


def _in_argv(argv: Any, *, is_text: bool) -> Iterator[str]:
    if is_text:
        if not isinstance(argv, str) or not argv:
            yield f'with shell=True argv is one text, such as "df -h | tail", not {argv!r}.'
    elif not isinstance(argv, list | tuple) or not argv:
        yield (
            f'argv is {argv!r}; write a list, ["program", "argument"], or add shell=True to have a '
            "shell read one text."
        )
    elif wrong := [part for part in argv if not isinstance(part, str)]:
        yield f"argv holds {wrong[0]!r}; write it as a text."


def _why_no_code(code: object, meaning: object, *, can_retry: bool) -> str | None:
    if not isinstance(code, int):
        return "is no number, so it would never be met; write it without quotes"
    if not -_MOST_SIGNALS <= code <= _MOST_CODES:
        return f"never comes; codes go from 0 to {_MOST_CODES}, and -9 is the end by signal 9"
    if not isinstance(meaning, Meaning):
        return f"means {meaning!r}; use Retry, Cancel, Snooze, Skip or None"
    if code == 0 and meaning is None:
        return "means success anyway; leave it out"
    if isinstance(meaning, Retry) and not can_retry:
        return "means Retry, which has no effect without retries; give retries as well"
    return None


def run_command(order: Command) -> Any:
    """Run the program to its end; return the meaning of its exit code.

    Raises CalledProcessError for a code that means failure, OSError when it can't be started, and
    SettingsError when a secret is missing.
    """
    run = current_run()
    environment = inherited_by_commands() | _facts(run) | resolve_secrets(order.env)
    # A shell only where a definition asks for one, which is code; nobody can edit it elsewhere.
    with subprocess.Popen(  # nosec B602
        order.argv,
        shell=order.shell,
        env=environment,
        cwd=order.cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        _OutputLogger(process, run).follow()
    code = process.returncode
    if code != 0 and code not in order.exit_codes:
        raise subprocess.CalledProcessError(code, order.argv)
    return order.exit_codes.get(code)


def _facts(run: CurrentRun) -> dict[str, str]:
    return {
        "TICK_RUN_ID": str(run.run_id),
        "TICK_ATTEMPT": str(run.attempt),
        "TICK_FENCING_TOKEN": str(run.fencing_token),
        "TICK_SCHEDULED_FOR": run.scheduled_for.isoformat() if run.scheduled_for else "",
    }


class _OutputLogger:
    """Logs what a program writes, and passes a cancellation on to it."""

    def __init__(self, process: subprocess.Popen[bytes], run: CurrentRun) -> None:
        self._process, self._run = process, run
        self._buffers = {logging.INFO: LineBuffer(), logging.WARNING: LineBuffer()}
        self._read_until = inf

    def follow(self) -> None:
        """Return when the program has ended and its output has been read."""
        try:
            self._follow()
        finally:  # it may be told to end by its time limit
            for level, buffer in self._buffers.items():
                self._log(level, buffer.end())

    def _follow(self) -> None:
        assert self._process.stdout and self._process.stderr  # noqa: S101  (asked for with PIPE)
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ, logging.INFO)
            selector.register(self._process.stderr, selectors.EVENT_READ, logging.WARNING)
            while selector.get_map() and self._reads_on():
                for key, _ in selector.select(_POLL_SECONDS):
                    if not self._read(key.fd, key.data):
                        selector.unregister(key.fileobj)
                for level, buffer in self._buffers.items():
                    self._log(level, buffer.due(monotonic()))
        # It may have closed its output and go on.
        while self._reads_on() and self._process.returncode is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_POLL_SECONDS)

    def _reads_on(self) -> bool:
        """Return whether output is still read; a moment after the program's end it is not."""
        if self._process.poll() is None:
            self._read_until = monotonic() + LINGER_SECONDS
            if not self._run.told_to_stop and self._run.cancelled():
                self._process.terminate()
        return monotonic() < self._read_until

    def _read(self, descriptor: int, level: int) -> bool:
        """Read once; return whether there may be more."""
        chunk = os.read(descriptor, _READ_BYTES)
        self._log(level, self._buffers[level].feed(chunk, monotonic()))
        return bool(chunk)

    def _log(self, level: int, lines: list[str]) -> None:
        for line in lines:
            self._run.log.log(level, "%s", line)
