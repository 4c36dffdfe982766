"""Processes that tick: many at once, or one that dies after so many steps of its work."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from tick.engine.firing import write_plans
from tick.runtime import Runtime
from tick.settings import Settings
from tick.store.database import Database
from tick.store.tables import job_schedule
from tick.ticks.tick import run_tick

# Children come from a server that has imported everything: a start takes milliseconds, and no
# connection of the test is inherited.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", __name__])


@dataclass(frozen=True)
class Order:
    """One tick. `dies_at` counts the statements and commits of its writing transactions."""

    url: str
    now: datetime
    chunk: int = 1000
    dies_at: int | None = None
    mutant: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the caller of the tick got; `error` is an exception that reached it."""

    fired: int = 0
    errors: tuple[str, ...] = ()
    error: str | None = None


@dataclass
class Ticker:
    """A process that is ready to tick, and does so when told."""

    process: BaseProcess
    pipe: Connection

    def go(self) -> None:
        """Tick now."""
        self.pipe.send("go")

    def answer(self) -> Answer | None:
        """What came of it; None if the process died."""
        try:
            answer: Answer = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            return None
        return answer

    def kill_after(self, seconds: float) -> None:
        """Kill it, unless it has ended by then."""
        self.process.join(seconds)
        self.process.kill()


@contextmanager
def tickers(order: Order, count: int = 1) -> Iterator[list[Ticker]]:
    """Processes that stand ready with an open connection; all have ended afterwards."""
    started = [_start(order) for _ in range(count)]
    try:
        for ticker in started:
            assert ticker.pipe.recv() == "ready"
        yield started
    finally:
        for ticker in started:
            ticker.process.kill()
            ticker.process.join()
            ticker.process.close()
            ticker.pipe.close()


def _start(order: Order) -> Ticker:
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_tick, args=(order, theirs), daemon=True)
    process.start()
    theirs.close()
    return Ticker(process, ours)


def _tick(order: Order, pipe: Connection) -> None:
    database = Database(order.url)
    runtime = Runtime(Settings(chunk_schedules=order.chunk), database)
    with database.write.connect():
        pass
    if order.dies_at is not None:
        _die_at(database.write, order.dies_at)
    if order.mutant is not None:
        write_plans._advance_all = MUTANTS[order.mutant]  # type: ignore[assignment]
    pipe.send("ready")
    pipe.recv()
    try:
        result = run_tick(runtime, order.now, source="test")
        answer = Answer(result.fired_count, tuple(result.errors.values()))
    except Exception as error:
        answer = Answer(error=repr(error))
    database.close()
    pipe.send(answer)


def _die_at(engine: sa.Engine, step: int) -> None:
    left = step

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "after_cursor_execute", count)
    event.listen(engine, "commit", count)


# --- what the oracle must see: the ledger's rows and the advance in two transactions ---


def _split(release: bool) -> Callable[..., None]:
    together = write_plans._advance_all

    def apart(connection: sa.Connection, *args: Any) -> None:
        if release:
            connection.execute(sa.update(job_schedule).values(locked_by=None, locked_at=None))
        _commit(connection)
        together(connection, *args)

    return apart


def _commit(connection: sa.Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute("COMMIT")
    driver.execute("BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "BEGIN")


MUTANTS = {"keeps its locks": _split(release=False), "releases its locks": _split(release=True)}
