"""Several ticks count at the same moment, while runs are retried: each end is counted once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job
from tick.engine.ledger.audit import Act
from tick.engine.statistics.count import count_ended
from tick.engine.statistics.hours import ALL_TIME
from tick.ops.actions import retries
from tick.ops.actions.run_now import run_all
from tick.store.database import Database
from tick.store.tables import occurrence, run_hour

COUNTERS, FIRINGS = 3, 12


def test_each_end_is_counted_once_whoever_counts_and_retries(world: World) -> None:
    world.define(jobs=[a_job("fetch"), a_job("mail")])
    for number in range(FIRINGS):
        run_all(world.database, Act(world.now, TESTER, key=f"run-{number}"), world.registry)
    world.finish_runs("FAILED")
    with world.database.write.begin() as connection:
        connection.execute(sa.update(occurrence).values(failed=2))
    url = world.database.url.render_as_string(hide_password=False)
    with ThreadPoolExecutor(COUNTERS + 1) as pool:
        counting = [pool.submit(_count_all, url) for _ in range(COUNTERS)]
        pool.submit(_retry_all, world).result()
        for each in counting:
            each.result()
    world.finish_runs("SUCCESS")
    world.tick(world.now + timedelta(minutes=1))
    h = run_hour.c
    counted = world.rows(sa.select(h.job_name, h.failed, h.succeeded).where(h.hour == ALL_TIME))
    assert sorted(map(tuple, counted)) == [("fetch", FIRINGS, FIRINGS), ("mail", FIRINGS, FIRINGS)]


def _count_all(url: str) -> None:
    database = Database(url)
    for _ in range(3 * FIRINGS):
        with database.write.begin() as connection:
            count_ended(connection, limit=2)
    database.close()


def _retry_all(world: World) -> None:
    for row in world.rows(sa.select(occurrence.c.id)):
        retries.retry_occurrence(world.database, Act(world.now, TESTER), row.id, world.registry)
