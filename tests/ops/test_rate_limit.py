"""How fast somebody may act: counted in the database, exact under any crowd."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tick.ops.access.rate_limit import seconds_to_wait
from tick.store.database import Database
from tick.store.tables import pace

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ask(database: Database, after: float = 0, name: str = "user:ada", a_minute: int = 6) -> int:
    return seconds_to_wait(database, name, a_minute, NOW + timedelta(seconds=after))


def test_a_minutes_worth_passes_at_once_then_they_come_back_evenly(database: Database) -> None:
    assert [ask(database) for _ in range(7)] == [0, 0, 0, 0, 0, 0, 10]
    assert [ask(database, after=9.5), ask(database, after=10), ask(database, after=10)] == [
        1,
        0,
        10,
    ]
    assert [ask(database, after=3600) for _ in range(7)] == [0] * 6 + [10]


def test_a_refusal_costs_nothing(database: Database) -> None:
    for _ in range(6):
        ask(database)
    for _ in range(50):
        assert ask(database, after=5) == 5
    assert ask(database, after=10) == 0


def test_each_has_a_pace_of_their_own(database: Database) -> None:
    for _ in range(6):
        ask(database)
    assert ask(database, name="token:ada") == 0


@pytest.mark.parametrize("a_minute", [1, 7, 9, 11, 60, 997, 10_000])
def test_neither_one_more_nor_one_less_passes_for_any_rounding(
    database: Database, a_minute: int
) -> None:
    passed = [ask(database, a_minute=a_minute) for _ in range(min(a_minute, 60) + 1)]
    assert passed.count(0) == min(a_minute, 60) + (a_minute > 60)


def test_a_crowd_that_arrives_together_passes_no_faster(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda _: ask(database, a_minute=10), range(40)))
    assert waits.count(0) == 10


def test_who_has_rested_is_forgotten(database: Database) -> None:
    for number in range(150):
        ask(database, name=f"login:192.0.2.{number}")
    for _ in range(2):
        ask(database, after=60)
    with database.read.connect() as connection:
        assert connection.execute(sa.select(pace.c.id)).scalars().all() == ["user:ada"]
