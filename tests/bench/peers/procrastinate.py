"""Procrastinate at its defaults: one job at a time; the job's row keeps its status."""

import asyncio
from typing import Any

import procrastinate
import psycopg

from tests.bench.sides import Side


def the_app(connector: Any) -> procrastinate.App:
    """The app with its only task."""
    app = procrastinate.App(connector=connector)

    @app.task(name="nothing")
    async def nothing() -> None:
        pass

    return app


class Peer(Side):
    """Its jobs, in a database of their own."""

    name = "Procrastinate"

    def __init__(self, url: str) -> None:
        self.address = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._app = the_app(procrastinate.SyncPsycopgConnector(conninfo=url))
        self._app.open()
        self._app.schema_manager.apply_schema()

    def enqueue(self, jobs: int) -> None:
        """Put so many jobs in the place of what there was."""
        self._connection.execute("TRUNCATE procrastinate_jobs CASCADE")
        self._app.tasks["nothing"].batch_defer(*({} for _ in range(jobs)))

    def ended(self) -> int:
        """How many have succeeded."""
        query = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"
        (count,) = self._connection.execute(query).fetchone() or (0,)
        return int(count)

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()
        self._connection.close()


def work(url: str) -> None:
    """Run jobs until told to stop."""

    async def serve() -> None:
        app = the_app(procrastinate.PsycopgConnector(conninfo=url))
        async with app.open_async():
            await app.run_worker_async(wait=True)

    asyncio.run(serve())
