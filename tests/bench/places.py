"""Where a benchmark runs: an empty migrated database of each kind, on disk."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import sqlalchemy as sa

from tests.support.postgres import postgres
from tick.store import schema
from tick.store.database import Database

FOLDER = Path(__file__).resolve().parents[2] / "var"


@dataclass(frozen=True)
class Place:
    """An open database, and what it does to make a commit last."""

    database: Database
    durability: str

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.database.write.dialect.name

    def run(self, statements: Iterable[sa.TextClause], values: Mapping[str, object]) -> None:
        """Execute SQL text in one transaction; each statement takes the values that it names."""
        with self.database.write.begin() as connection:
            for statement in statements:
                connection.execute(statement, values)

    def tidy(self) -> None:
        """Clear away what earlier rounds left, so that the next one does not pay for it."""
        if self.dialect == "postgresql":
            statement = "VACUUM ANALYZE job_schedule, schedule_version"
        else:
            statement = "PRAGMA wal_checkpoint(TRUNCATE)"
        with self.database.read.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(statement)  # outside of any transaction


@contextmanager
def sqlite_place() -> Iterator[Place]:
    """SQLite in a file on this checkout's disk."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="bench-") as folder:
        sync = f"fdatasync {fdatasync_seconds(Path(folder)) * 1e6:,.0f} us"
        with _opened(f"sqlite:///{folder}/tick.db") as database:
            yield Place(database, f"WAL, synchronous FULL, on disk; {sync}")


@contextmanager
def postgresql_place() -> Iterator[Place]:
    """The server that TEST_DATABASE_URL names, or the tests' own one."""
    with postgres() as server, _opened(server.create_database("bench")) as database:
        yield Place(database, _postgresql_durability(database))


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        schema.upgrade(database)
        yield database
    finally:
        database.close()


def _postgresql_durability(database: Database) -> str:
    names = ("fsync", "synchronous_commit", "shared_buffers")
    with database.read.connect() as connection:
        values = [connection.execute(sa.text(f"SHOW {name}")).scalar() for name in names]
    return ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))


def fdatasync_seconds(folder: Path, times: int = 20) -> float:
    """What it takes to make 4 KiB last on the disk of `folder`: the median."""
    took = []
    with (folder / "probe").open("wb") as probe:
        for _ in range(times):
            probe.write(b"\0" * 4096)
            probe.flush()
            started = perf_counter()
            os.fdatasync(probe.fileno())
            took.append(perf_counter() - started)
    return median(took)
