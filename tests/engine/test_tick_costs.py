"""What a tick costs does not depend on how much history there is, nor on how many are due."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.support.factories import World, a_job, a_schedule
from tick.engine.firing.claim_schedules import TickClaim
from tick.engine.firing.fire import fire_due
from tick.states import OccurrenceKind, Outcome, RunStatus, Trigger
from tick.store.database import Database
from tick.store.tables import job_run, occurrence

MINUTE = timedelta(minutes=1)
MANY = 5000
TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """SQLite alone: without statistics, it is the one that may choose a slow way."""
    path = tmp_path / "tick.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    made = World(database, now=TWO - MINUTE)
    made.define(
        a_schedule("often", cron="*/10 * * * *"), jobs=[a_job("a"), a_job("b", depends_on=["a"])]
    )
    made.enable("often")
    yield made
    database.close()


@contextmanager
def counting(database: Database) -> Iterator[list[int]]:
    """How many thousands of steps the database's machine takes."""
    steps = [0]

    def one_thousand() -> int:
        steps[0] += 1
        return 0

    def begin(connection: sa.Connection, *_: object) -> None:
        connection.connection.driver_connection.set_progress_handler(one_thousand, 1000)

    for engine in (database.read, database.write):
        event.listen(engine, "begin", begin)
    yield steps
    for engine in (database.read, database.write):
        event.remove(engine, "begin", begin)


def add_history(world: World) -> None:
    """Many firings that have ended."""
    start = TWO - (MANY + 1) * MINUTE
    version = world.schedule("often").version_id
    firings = [
        {
            "schedule_id": "often",
            "version_id": version,
            "kind": OccurrenceKind.CRON,
            "outcome": Outcome.SUCCESS,
            "scheduled_for": start + number * MINUTE,
            "tick_id": f"old-{number}",
            "decided_at": start + number * MINUTE,
            "runs": 1,
            "counted": True,
            "judged": True,
        }
        for number in range(MANY)
    ]
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(occurrence), firings)
        rows = connection.execute(
            sa.select(occurrence.c.id, occurrence.c.scheduled_for).where(
                occurrence.c.tick_id.startswith("old-")
            )
        ).all()
        connection.execute(
            sa.insert(job_run),
            [
                {
                    "occurrence_id": row.id,
                    "schedule_id": "often",
                    "scheduled_for": row.scheduled_for,
                    "job_name": "a",
                    "job_group": "matching",
                    "status": RunStatus.SUCCESS,
                    "trigger": Trigger.CRON,
                    "params": {},
                    "run_metadata": {},
                    "available_at": row.scheduled_for,
                    "queued_at": row.scheduled_for,
                    "counted": True,
                }
                for row in rows
            ],
        )


def cost(world: World, at: datetime) -> int:
    with counting(world.database) as steps:
        world.tick(at)
    return steps[0]


def test_a_long_history_makes_no_tick_slower(world: World) -> None:
    world.tick(TWO)  # once an hour a tick prunes, too
    idle, due = cost(world, TWO + 5 * MINUTE), cost(world, TWO + 10 * MINUTE)
    add_history(world)
    assert cost(world, TWO + 15 * MINUTE) <= idle + 3
    assert cost(world, TWO + 20 * MINUTE) <= due + 3


def test_an_idle_tick_asks_once_and_notes_that_it_ticked(database: Database) -> None:
    idle = World(database, now=TWO - 2 * MINUTE)
    idle.define(a_schedule())
    idle.enable()
    idle.tick()  # once an hour a tick prunes, too
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement.split()[0])

    for engine in {database.read, database.write}:
        event.listen(engine, "before_cursor_execute", hear)
    idle.tick(TWO - MINUTE)
    assert [word for word in said if word not in ("BEGIN", "SET")] == ["SELECT", "INSERT"]


ROWS_READ = sa.text(
    "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
    " WHERE relname = 'occurrence'"
)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_later_chunks_do_not_read_the_firings_of_earlier_ones(
    database: Database,
) -> None:
    """No statistics know of what this tick has written, so that no plan may hang on them."""
    storm, chunk = World(database, now=TWO - MINUTE), 100
    storm.define(*(a_schedule(f"s{number:03}") for number in range(3 * chunk)))
    for schedule in storm.schedules:
        storm.enable(schedule.id)
    for number in range(3):
        with database.write.begin() as connection:
            decision = TickClaim("storm", f"storm.{number}", TWO)
            fired = fire_due(connection, decision, limit=chunk, tick_seconds=60)
            assert fired.schedules == chunk
            assert connection.execute(ROWS_READ).scalar_one() < 20 * chunk
