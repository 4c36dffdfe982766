"""Many processes tick the same minute."""

import pytest
import sqlalchemy as sa

from tests.concurrency.fleet import MINUTE, START, mistakes
from tests.concurrency.processes import Answer, Order, tickers
from tests.support.factories import World
from tick.store.database import Database
from tick.store.tables import occurrence

PROCESSES = {"sqlite": 8, "postgresql": 32}


@pytest.mark.parametrize("chunk", [1000, 7])
def test_each_occurrence_fires_once_and_no_caller_sees_an_error(
    ships: World, database: Database, database_url: str, chunk: int
) -> None:
    now = START + MINUTE
    order = Order(database_url, now, chunk)
    with tickers(order, PROCESSES[database.write.dialect.name]) as started:
        for ticker in started:
            ticker.go()
        answers = [ticker.answer() or Answer(error="died") for ticker in started]
    assert [answer for answer in answers if answer.error or answer.errors] == []
    assert mistakes(ships, until=now) == []
    there = ships.rows(sa.select(sa.func.count()).select_from(occurrence))
    assert sum(answer.fired for answer in answers) == there[0][0]
