"""A process that dies while it ticks leaves everything or nothing, and the next tick repairs it."""

import random
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest
import sqlalchemy as sa

from tests.concurrency import fleet
from tests.concurrency.fleet import MINUTE, START, mistakes
from tests.concurrency.processes import MUTANTS, Order, tickers
from tests.support.factories import World
from tick.store.database import Database
from tick.store.tables import metadata

CHUNK = 25  # two transactions a tick


def dies(order: Order) -> bool:
    """Tick in a process of its own; whether that died."""
    with tickers(order) as (ticker,):
        ticker.go()
        return ticker.answer() is None


def test_death_after_any_statement_is_repaired_by_the_next_tick(
    ships: World, database_url: str
) -> None:
    """One statement or commit further each minute, until the tick lives to its end."""
    step, died = 0, True
    while died:
        step += 1
        now = START + step * MINUTE
        died = dies(Order(database_url, now, CHUNK, dies_at=step))
        ships.tick(now)
        assert mistakes(ships, until=now) == [], f"after a death at step {step}"
    assert step > 20


@pytest.mark.parametrize(
    "kills", [40, pytest.param(2000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_death_at_random_moments_is_repaired_by_the_next_tick(
    ships: World, database_url: str, kills: int
) -> None:
    moments = random.Random(kills)
    # The first tick keeps house as well, once an hour: it would be no measure of the others.
    how_long_a_tick_takes(Order(database_url, START + MINUTE, CHUNK))
    seconds = how_long_a_tick_takes(Order(database_url, START + 2 * MINUTE, CHUNK))
    deaths = 0
    for number in range(3, kills + 3):
        now = START + number * MINUTE
        with tickers(Order(database_url, now, CHUNK)) as (ticker,):
            ticker.go()
            ticker.kill_after(moments.uniform(0, 1.2 * seconds))
            deaths += ticker.answer() is None
        ships.tick(now)
        if number % 20 == 1:
            assert mistakes(ships, until=now) == []
    assert deaths > kills / 4


def how_long_a_tick_takes(order: Order) -> float:
    """In a fresh process, seconds."""
    with tickers(order) as (ticker,):
        started = perf_counter()
        ticker.go()
        assert ticker.answer()
        return perf_counter() - started


@pytest.fixture
def unguarded(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[World]:
    """The fleet on a database without the unique keys of instants."""
    database = Database(database_url)
    bare = sa.MetaData()
    for table in metadata.sorted_tables:
        copy = table.to_metadata(bare)
        if table.name in {"occurrence", "job_run"}:
            copy.constraints -= {
                key for key in copy.constraints if isinstance(key, sa.UniqueConstraint)
            }
    with database.write.begin() as connection:
        bare.drop_all(connection)
        bare.create_all(connection)
    world = World(database, now=START)
    fleet.launch(world)
    yield world
    database.close()


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_oracle_sees_a_transaction_that_was_split(
    unguarded: World, database_url: str, mutant: str
) -> None:
    """Without this, the tests above would show nothing."""
    seen, step, died = [], 0, True
    while died and not seen:
        step += 1
        now = START + step * MINUTE
        died = dies(Order(database_url, now, dies_at=step, mutant=mutant))
        unguarded.tick(now)
        seen = mistakes(unguarded, until=now)
    wanted = "left locked" if mutant == "keeps its locks" else "2 x occurrence"
    assert any(wanted in mistake for mistake in seen)
