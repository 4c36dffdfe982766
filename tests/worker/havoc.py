"""Everything that happens to workers and their database, at random, while runs go on."""

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import sqlalchemy as sa

from tests.support.postgres import EmbeddedPostgres
from tests.worker.conftest import WorkWorld
from tests.worker.processes import Process, eventually
from tick.engine.runs.rescue import rescue_dead_workers
from tick.engine.runs.settle import settle_forgotten
from tick.states import ENDED_RUNS, LIVE_OUTCOMES
from tick.store.database import TRANSIENT
from tick.store.tables import job_run, occurrence

DEAD_AFTER = timedelta(seconds=1)
FROZEN_SECONDS = 1.5
LATEST = 200
PATIENCE_SECONDS = 300.0
"""On a machine that is busy with other things, starting a child process takes a minute."""
WORKERS, RUNS_EACH = 2, 4
JOBS = ("writes-down", "writes-down-in-a-thread", "writes-down-once")


class Havoc:
    """Two workers, a steady flow of runs, and one injury after another."""

    def __init__(
        self,
        work: WorkWorld,
        serve: Callable[..., Process],
        note: Path,
        server: EmbeddedPostgres | None,
        seed: int,
    ) -> None:
        self.injuries: Counter[str] = Counter()
        self._work, self._serve, self._note, self._server = work, serve, note, server
        self._chance = random.Random(seed)
        self._take_order: list[int] = []
        self._ended: dict[int, tuple[Any, ...]] = {}
        self._processes = [self._start() for _ in range(WORKERS)]
        self._ways = [self.kill_worker, self.kill_child, self.freeze_worker]
        if server is not None:
            self._ways += [self.cut_connections, self.restart_server]

    def injure(self, times: int) -> None:
        """Do so many injuries, each while some of the runs that were ordered are going on."""
        for _ in range(times):
            for _ in range(RUNS_EACH):
                self._order()
            goal = len(self._ended) + self._chance.randrange(RUNS_EACH)
            self._until(lambda goal=goal: len(self._ended) >= goal)
            way = self._chance.choice(self._ways)
            way()
            self.injuries[way.__name__] += 1

    def kill_worker(self) -> None:
        """SIGKILL; another one takes its place."""
        victim = self._chance.choice(self._processes)
        self._processes.remove(victim)
        victim.end()
        self._processes.append(self._start())

    def kill_child(self) -> None:
        """SIGKILL for one of a worker's processes."""
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._chance.choice(self._processes).pid).children()
            if children:
                self._chance.choice(children).kill()

    def freeze_worker(self) -> None:
        """SIGSTOP until others took its runs, then SIGCONT."""
        victim = self._chance.choice(self._processes)
        victim.signal(signal.SIGSTOP)
        # By itself: on SQLite everybody waits for one that is frozen while it writes.
        thaw = threading.Timer(FROZEN_SECONDS, victim.signal, [signal.SIGCONT])
        thaw.start()
        self._until(lambda: not thaw.is_alive())
        thaw.join()

    def cut_connections(self) -> None:
        """Have the server end every connection to the database, in the middle of whatever."""
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        address = self._work.database.url.set(drivername="postgresql", database="postgres")
        with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
            connection.execute(cut, [self._work.database.url.database])

    def restart_server(self) -> None:
        """Kill the database server, and start it again."""
        assert self._server is not None
        self._server.restart()

    def settle(self) -> None:
        """Let everything that was ordered come to its end."""
        self._until(lambda: len(self._ended) == len(self._take_order) and not self._live())
        self._look(len(self._take_order))

    def written(self) -> Counter[int]:
        """How often the job of each run said that it did its work."""
        return Counter(int(line) for line in self._note.read_text().split())

    def _start(self) -> Process:
        # Afresh: a worker's children are here killed at random, so they are to be the real ones.
        return self._serve(dead_after_seconds=DEAD_AFTER.total_seconds(), afresh=True)

    def _order(self) -> None:
        job = self._chance.choice(JOBS)

        def order() -> int | None:
            with suppress(*TRANSIENT):
                return self._work.order(job, note=str(self._note))
            return None

        self._take_order.append(eventually(order))

    def _until(self, question: Callable[[], bool]) -> None:
        """Tick until it is true, and look at every run that has ended meanwhile."""

        def tick_and_ask() -> bool:
            with suppress(*TRANSIENT):
                self._rescue()
                self._look()
                return question()
            return False

        eventually(tick_and_ask, PATIENCE_SECONDS)

    def _rescue(self) -> None:
        """What each tick does."""
        now = datetime.now(UTC)
        with self._work.database.write.begin() as connection:
            rescue_dead_workers(connection, now, DEAD_AFTER)
        with self._work.database.write.begin() as connection:
            settle_forgotten(connection, now)

    def _look(self, latest: int = LATEST) -> None:
        """A run that has ended once never changes again."""
        r = job_run.c
        columns = (r.id, r.status, r.finished_at, r.attempt, r.fencing_token, r.error_type)
        ended = sa.select(*columns).where(
            r.status.in_(ENDED_RUNS), r.id.in_(self._take_order[-latest:])
        )
        for row in self._work.rows(ended):
            assert self._ended.setdefault(row.id, tuple(row)) == tuple(row)

    def _live(self) -> bool:
        live = sa.select(occurrence.c.id).where(occurrence.c.outcome.in_(LIVE_OUTCOMES))
        return bool(self._work.rows(live.limit(1)))
