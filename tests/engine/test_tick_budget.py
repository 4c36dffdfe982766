"""A tick answers within its budget, also while others hold what it wants."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tick.store.database import Database
from tick.store.tables import job_run, job_schedule
from tick.ticks import housekeeping
from tick.ticks.tick import run_tick

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
BUDGET = 0.4


@contextmanager
def holding(database: Database) -> Iterator[None]:
    """Another transaction holds the schedules; on SQLite, the right to write at all."""
    with database.write.connect() as rival, rival.begin() as transaction:
        rival.execute(sa.update(job_schedule).values(updated_at=TWO))
        yield
        transaction.rollback()


@pytest.fixture
def due(world: World) -> World:
    """A schedule that is due at two."""
    world.define(a_schedule())
    world.enable()
    return world


def test_a_tick_by_http_does_not_wait_for_a_lock_beyond_its_budget(due: World) -> None:
    with holding(due.database):
        result = run_tick(due.runtime, TWO, source="test", budget_seconds=BUDGET)
    assert result.more
    assert result.due == 0
    assert result.took_seconds < 4 * BUDGET
    assert due.schedule().retry_after is None
    assert [line.schedule_id for line in due.tick(TWO).fired] == ["daily"]


def test_a_tick_without_time_decides_nothing_and_says_that_there_is_more(due: World) -> None:
    result = run_tick(due.runtime, TWO, budget_seconds=1e-9)
    assert (result.due, result.more) == (0, True)
    assert not run_tick(due.runtime, due.now, budget_seconds=1e-9).more


def test_a_tick_without_time_leaves_the_counting_to_the_next(due: World) -> None:
    due.tick(TWO)
    due.finish_runs()
    tomorrow = TWO + timedelta(days=1)
    counted = sa.select(job_run.c.counted).where(job_run.c.scheduled_for == TWO)
    run_tick(due.runtime, tomorrow, budget_seconds=1e-9)
    assert due.rows(counted) == [(False,)]
    due.tick(tomorrow)
    assert due.rows(counted) == [(True,)]


def test_counting_that_fails_is_no_failure_of_the_tick(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: sa.Connection) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, Exception("the disk is full"))

    monkeypatch.setattr(housekeeping, "count_ended", fail)
    assert due.tick(TWO).fired_count == 1


def test_the_patience_of_one_tick_is_not_that_of_the_next_writer(due: World) -> None:
    """Connections are shared: what a tick sets for itself, it takes back."""
    if due.database.write.dialect.name != "sqlite":
        question = "SHOW lock_timeout"
    else:
        question = "PRAGMA busy_timeout"
    with due.database.write.connect() as connection:
        before = connection.exec_driver_sql(question).scalar()
    run_tick(due.runtime, TWO, source="test", budget_seconds=BUDGET)
    with due.database.write.connect() as connection:
        assert connection.exec_driver_sql(question).scalar() == before
