"""The executor of production: warm child processes, each running one job at a time."""

# Not Pebble, the library for this that is kept up: it pickles, kills a process but not its group,
# and has no way for lines and progress to come out while a job runs.

import logging
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from math import inf
from typing import Any

from tick.executors.child_process import ChildFactory, ChildProcess
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import (
    CANCEL_SECONDS,
    EndReport,
    Output,
    Report,
    reports_from_message,
    reports_from_output,
)
from tick.executors.prefetch import AHEAD_RUNS, order_ahead
from tick.executors.process_reaper import ProcessReaper
from tick.executors.protocol import BadMessage, Message, pack
from tick.executors.run_queue import Order, RunQueue
from tick.forks import register_after_fork
from tick.policy.retry import AttemptEnd, AttemptOutcome

log = logging.getLogger(__name__)

GRACE_SECONDS = 1.0  # between SIGTERM and SIGKILL, for the `finally` blocks of a job
EXIT_SECONDS = 0.2  # between a closed socket and SIGKILL: most likely the process ends by itself
_AGAIN_SECONDS = 0.05  # between SIGKILLs until its death is noticed; without it, polls would spin
_ALARMS = 4096
_UNREADABLE = "the worker ended its process, for what it sent could not be read"
_CLOSED = "the worker ended its process, which had closed its connection to it"


class ProcessPool:
    """Keeps `processes` children warm, and replaces each after `recycle_after` runs.

    A child that is younger than `recycle_seconds` stays.
    """

    def __init__(
        self,
        definitions: str,
        processes: int,
        clock: Callable[[], datetime],
        *,
        recycle_after: int = 1000,
        recycle_seconds: float = 60.0,
    ) -> None:
        self.slots, self._clock = processes, clock
        self._factory = ChildFactory(definitions)
        self._children: list[ChildProcess] = []
        self._waiting = RunQueue()
        self._recycle_after, self._recycle_seconds = recycle_after, recycle_seconds
        self._reaper = ProcessReaper()
        register_after_fork(self._reaper.close_in_copy)
        self._selector = selectors.DefaultSelector()
        self._wake_writer, self._wake_reader = socket.socketpair()
        # A thread that calls `wake` may hold a lock that this one needs, so it must not block.
        self._wake_writer.setblocking(False)
        self._wake_reader.setblocking(False)
        self._watch(self._wake_reader, lambda: self._wake_reader.recv(_ALARMS))
        self._reports: list[Report] = []

    @property
    def warm(self) -> int:
        """Return how many children have loaded the definitions."""
        return sum(child.ready for child in self._children)

    @property
    def free(self) -> int:
        """Return how many children wait for a run."""
        # One that can't load the definitions never counts, so nothing is claimed for it.
        return max(0, sum(child.idle for child in self._children) - len(self._waiting))

    @property
    def waiting(self) -> int:
        """Return how many runs have not begun."""
        return len(self._waiting) + sum(max(0, len(child.orders) - 1) for child in self._children)

    @property
    def running(self) -> Sequence[ClaimedRun]:
        """Return the runs that children execute, those that wait for one, and unreported ones."""
        ordered = [order.run for child in self._children for order in child.orders]
        unreported = [report.run for report in self._reports if isinstance(report, EndReport)]
        return ordered + self._waiting.runs + unreported

    @property
    def begun(self) -> dict[Claim, float]:
        """Return the runs that are being executed, and since when."""
        return {child.run.claim: child.orders.began_at for child in self._children if child.run}

    def start(self, run: ClaimedRun, timeout_seconds: float) -> None:
        """Give the run to a free child, or to the first that becomes free."""
        packed = pack({"run": run.to_json()})
        self._waiting.add(Order(run, timeout_seconds, time.monotonic(), packed))
        self._dispatch()

    def take_back(self, waiting_seconds: float) -> list[ClaimedRun]:
        """Return the runs that have waited for so long; they will not begin."""
        for child in self._children:
            self._recall(child)
        return self._waiting.take_older(time.monotonic() - waiting_seconds)

    def poll(self, timeout_seconds: float) -> list[Report]:
        """Return what happened since the last call; wait up to `timeout_seconds` if nothing did."""
        self._spawn_missing()
        self._order_ahead()
        wait = 0.0 if self._reports else min(timeout_seconds, self._next_instant())
        for key, _ in self._selector.select(max(0.0, wait)):
            with suppress(BlockingIOError):
                key.data()
        self._enforce(time.monotonic())
        self._clean_up_exited()
        self._dispatch()
        self._order_ahead()
        reports, self._reports = self._reports, []
        return reports

    def wake(self) -> None:
        """End a `poll` that waits; from any thread."""
        with suppress(OSError):  # it is closed, or full of what wakes as well
            self._wake_writer.send(b"!")

    def cancel(self, run: ClaimedRun) -> None:
        """Ask the run to stop; after CANCEL_SECONDS it is killed."""
        child = self._child_at(run)
        if self._waiting.drop(run):
            self._reports.append(EndReport(run, AttemptEnd(AttemptOutcome.CANCELLED)))
        elif child:
            child.ask_to_stop()
            child.planned_end = child.planned_end or AttemptEnd(
                AttemptOutcome.CANCELLED, reason="did not stop when asked to, and was killed"
            )
            child.deadline = min(child.deadline, time.monotonic() + CANCEL_SECONDS)

    def kill(self, run: ClaimedRun) -> None:
        """Kill the run's process group now. The end is not reported."""
        child = self._child_at(run)
        if not self._waiting.drop(run) and child:
            child.orders.clear()
            self._kill(child)

    def close(self) -> list[Report]:
        """Kill every child with all that it started; return ends that were not reported."""
        for child in self._children:
            child.signal_group(signal.SIGKILL)
        for child in self._children:
            child.clean_up()
        self._children.clear()
        self._waiting.clear()
        self._selector.close()
        self._wake_writer.close()
        self._wake_reader.close()
        self._reaper.close()
        return self._reports

    def _watch(self, readable: Any, callback: Callable[[], object]) -> None:
        self._selector.register(readable, selectors.EVENT_READ, callback)

    def _dispatch(self) -> None:
        for child in self._children:
            if child.idle and self._waiting:
                child.order(*self._waiting.take(1, inf))

    def _order_ahead(self) -> None:
        """Let children with short runs go from one to the next."""
        if not self._waiting and any(child.idle for child in self._children):
            for child in self._children:
                if len(child.orders) > 1:
                    self._recall(child)
            self._dispatch()
        quick = [child for child in self._children if child.is_quick]
        order_ahead(self._waiting, [(child.orders, self._runs_left(child)) for child in quick])

    def _runs_left(self, child: ChildProcess) -> int:
        """Return how many runs beyond those ordered the child may execute until it is replaced."""
        # Starting a child takes as long as thousands of the shortest runs.
        if time.monotonic() - child.started_at < self._recycle_seconds:
            return AHEAD_RUNS
        return self._recycle_after - child.runs_done - len(child.orders)

    def _recall(self, child: ChildProcess) -> None:
        """Take back the orders that the child has not begun, and read what it sent up to here.

        After that it is certain which run it executes, and that it begins no other.
        """
        self._waiting.put_back(child.take_back())
        self._receive_all(child)

    def _child_at(self, run: ClaimedRun) -> ChildProcess | None:
        """Return the child that executes the run, having recalled its other orders."""
        for child in self._children:
            if any(order.run == run for order in child.orders):
                self._recall(child)
                return child if child.run == run else None
        return None

    def _spawn_missing(self) -> None:
        while len(self._children) < self.slots and (child := self._factory.spawn()):
            self._reaper.watch(child.pid)
            self._children.append(child)
            self._watch(child.socket, partial(self._receive, child))
            self._watch(child.output, partial(self._receive_output, child))

    def _receive(self, child: ChildProcess) -> None:
        try:
            messages = child.receive()
            child.disconnect_reason = _CLOSED if messages is None else None
        except (BadMessage, ValueError) as error:
            log.error("child %d does not keep to the protocol: %s", child.pid, error)
            messages, child.disconnect_reason = None, f"{_UNREADABLE} ({error})"
        if messages is None:
            with suppress(KeyError):
                self._selector.unregister(child.socket)
            child.kill_at = min(child.kill_at, time.monotonic() + EXIT_SECONDS)
        for message in messages or ():
            self._handle(child, message)

    def _handle(self, child: ChildProcess, message: Message) -> None:
        run = child.run
        match message:
            case {"ready": _}:
                child.ready = True
                self._factory.note_ready()
            case {"broken": why}:
                log.error("a child process cannot load the definitions: %s", why)
            case {"end": end, "began": began, "took": took} if run:
                ended_as = AttemptEnd(**(end | {"how": AttemptOutcome(end["how"])}))
                ended = EndReport(run, ended_as, began, took)
                self._end(child, ended, must_be_replaced="must_be_replaced" in message)
            case _ if run:
                self._reports += reports_from_message(run, message)

    def _end(self, child: ChildProcess, ended: EndReport, *, must_be_replaced: bool) -> None:
        if child.kill_at < inf:
            # Its end is planned already: it is reported when the whole group is gone.
            self._kill(child)
            return
        # The child waited until its pipe had been read.
        self._report_output(child, child.rest_of_output())
        self._reports.append(ended)
        child.end_current(ended.took)
        if must_be_replaced:
            self._waiting.put_back(child.take_back())
        if must_be_replaced or (not child.orders and self._runs_left(child) <= 0):
            self._kill(child)

    def _receive_output(self, child: ChildProcess) -> None:
        # Read ends first: only then does what is in the pipe belong to the current run.
        self._receive_all(child)
        self._report_output(child, child.read_output())

    def _report_output(self, child: ChildProcess, output: Output) -> None:
        self._reports += reports_from_output(output, child.run_of, self._clock(), child.pid)

    def _enforce(self, now: float) -> None:
        for child in self._children:
            if due := child.due_output(now):
                self._report_output(child, due)
            if now >= min(child.deadline, child.orders.slow_at):
                self._recall(child)
            if (order := child.orders.current) and now >= child.deadline:
                child.planned_end = child.planned_end or _timed_out(order.timeout_seconds)
                child.deadline, child.kill_at = inf, now + GRACE_SECONDS
                child.signal_group(signal.SIGTERM)
            elif now >= child.kill_at:
                self._kill(child)

    def _kill(self, child: ChildProcess) -> None:
        child.kill_at = time.monotonic() + _AGAIN_SECONDS
        child.kill(child.disconnect_reason)

    def _clean_up_exited(self) -> None:
        for child in [child for child in self._children if child.has_exited()]:
            # Messages from before its death are still in the socket and the pipe.
            self._recall(child)
            self._report_output(child, child.rest_of_output(unread=True))
            for fileobj in (child.socket, child.output):
                with suppress(KeyError):
                    self._selector.unregister(fileobj)
            self._children.remove(child)
            cause = child.clean_up()
            self._reaper.forget(child.pid)
            if child.run is not None:
                end = child.planned_end or _died(cause)
                took = time.monotonic() - child.orders.began_at
                self._reports.append(EndReport(child.run, end, child.orders.began_at, took))
            elif not child.ready:
                log.error("a child process ended before it was ready: %s", cause)
                self._factory.note_failure()

    def _receive_all(self, child: ChildProcess) -> None:
        with suppress(BlockingIOError):
            while child.socket in self._selector.get_map():
                self._receive(child)

    def _next_instant(self) -> float:
        """Return the seconds until a limit is to be enforced."""
        instants = [self._factory.not_before if len(self._children) < self.slots else inf]
        for child in self._children:
            instants += [child.deadline, child.orders.slow_at, child.kill_at]
        return min(instants) - time.monotonic()


def _timed_out(seconds: float) -> AttemptEnd:
    message = f"timed out after {seconds:g} s, and was killed"
    return AttemptEnd(AttemptOutcome.TIMED_OUT, error_type="TimedOut", error_message=message)


def _died(cause: str) -> AttemptEnd:
    return AttemptEnd(AttemptOutcome.DIED, error_type="Died", error_message=cause)
