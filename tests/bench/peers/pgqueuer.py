"""PgQueuer at its defaults: batches of 10, as asyncio tasks; its log table keeps the status."""

import asyncio
import signal

import asyncpg
import psycopg
from pgqueuer import AsyncpgDriver, PgQueuer, Queries

from tests.bench.sides import Side


class Peer(Side):
    """Its jobs, in a database of their own."""

    name = "PgQueuer"

    def __init__(self, url: str) -> None:
        self.address = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._loop = asyncio.Runner()
        self._driver = self._loop.run(asyncpg.connect(url))
        self._queries = Queries(AsyncpgDriver(self._driver))
        self._loop.run(self._queries.install())

    def enqueue(self, jobs: int) -> None:
        """Put so many jobs in the place of what there was."""
        self._connection.execute("TRUNCATE pgqueuer, pgqueuer_log")
        self._loop.run(self._queries.enqueue(["nothing"] * jobs, [None] * jobs, [0] * jobs))

    def ended(self) -> int:
        """How many have succeeded."""
        query = "SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'"
        (count,) = self._connection.execute(query).fetchone() or (0,)
        return int(count)

    def close(self) -> None:
        """Give the connections back."""
        self._loop.run(self._driver.close())
        self._loop.close()
        self._connection.close()


def work(url: str) -> None:
    """Run jobs until told to stop."""

    async def serve() -> None:
        queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(url)))

        @queuer.entrypoint("nothing")
        async def nothing(_job: object) -> None:
            pass

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queuer.shutdown.set)
        await queuer.run()

    asyncio.run(serve())
