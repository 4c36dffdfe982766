"""What ended is counted once, whatever happens to the rows before and after."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.engine.histories import History
from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.statistics.count import (
    Deltas,
    count_ended,
    uncounted_occurrences,
    uncounted_runs,
)
from tick.engine.statistics.hours import ALL_TIME
from tick.ops.actions import retries
from tick.states import NOT_FIRED_OUTCOMES
from tick.store.database import Database
from tick.store.tables import job_run, occurrence_hour, run_hour

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
STATUSES = {
    "succeeded": "SUCCESS",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
    "skipped": "SKIPPED",
}
OUTCOMES = {
    name: name.upper()
    for name in ("success", "failed", "partial", "cancelled", *map(str.lower, NOT_FIRED_OUTCOMES))
}
Events = Counter[tuple[datetime, str, str]]


def counted(database: Database, table: sa.Table, *, all_time: bool = False) -> Events:
    """The counts of the hours, and of what is to be counted, as (hour, name, state)."""
    states = STATUSES if table is run_hour else OUTCOMES
    waiting = uncounted_runs if table is run_hour else uncounted_occurrences
    chosen = table.c.hour == ALL_TIME if all_time else table.c.hour > ALL_TIME
    events: Events = Counter()
    with database.read.connect() as connection:
        for row in connection.execute(sa.select(table).where(chosen)):
            for column, state in states.items():
                events[row[0], row[1], state] += row._mapping[column]
        _add(events, waiting(connection, 10_000), states, all_time)
    return +events


def _add(events: Events, deltas: Deltas, states: dict[str, str], all_time: bool) -> None:
    for (hour, name), sums in deltas.items():
        for column, state in states.items():
            events[ALL_TIME if all_time else hour, name, state] += int(sums[column])


def over_all_time(events: Events) -> Events:
    total: Events = Counter()
    for (_, name, state), number in events.items():
        total[ALL_TIME, name, state] += number
    return total


@pytest.mark.parametrize("seed", range(6))
def test_counts_agree_with_brute_force_over_a_random_history(world: World, seed: int) -> None:
    history = History(world, seed)
    for _ in range(6):
        history.go_on(25)
        for table, events in ((run_hour, history.runs), (occurrence_hour, history.instants)):
            assert counted(world.database, table) == events
            assert counted(world.database, table, all_time=True) == over_all_time(events)


def test_lengths_agree_with_brute_force(world: World) -> None:
    history = History(world, seed=40)
    history.go_on(120)
    history.tick()
    history.look()
    h = run_hour.c
    query = sa.select(h.job_name, h.took_seconds, h.succeeded + h.failed)
    for name, seconds, ended in world.rows(query.where(h.hour == ALL_TIME)):
        lengths = [took for job, took in history.took if job == name]
        assert seconds == pytest.approx(sum(lengths))
        assert ended == len(lengths)


def test_a_run_that_is_retried_is_a_failure_and_then_a_success(world: World) -> None:
    world.define(a_schedule())
    world.enable()
    world.tick(TWO)
    world.finish_runs("FAILED")
    (run,) = world.runs()
    retries.retry_run(world.database, Act(world.now, TESTER), run.id, world.registry)
    world.finish_runs("SUCCESS")
    world.tick(TWO + timedelta(minutes=1))
    both = {(TWO, "match-scores", "FAILED"): 1, (TWO, "match-scores", "SUCCESS"): 1}
    assert counted(world.database, run_hour) == Counter(both)
    assert counted(world.database, occurrence_hour).total() == 2


def test_two_that_count_at_one_moment_count_each_end_once(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("a"), a_job("b")])
    world.enable()
    world.tick(TWO)
    world.finish_runs()
    other = Database(world.database.url.render_as_string(hide_password=False))
    with world.database.write.begin() as first:
        count_ended(first, limit=1)
        if first.dialect.name == "postgresql":
            with other.write.begin() as second:
                count_ended(second)
    world.tick(TWO + timedelta(minutes=1))
    other.close()
    hour = TWO
    assert counted(world.database, run_hour) == Counter(
        {(hour, "a", "SUCCESS"): 1, (hour, "b", "SUCCESS"): 1}
    )


def test_a_wait_begins_when_the_last_upstream_ended(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("a"), a_job("b", depends_on=["a"])])
    world.enable()
    world.tick(TWO)
    ended = {"a": (TWO, 600), "b": (TWO + timedelta(seconds=604), 40)}
    with world.database.write.begin() as connection:
        for name, (started, took) in ended.items():
            finished = started + timedelta(seconds=took)
            values = {"status": "SUCCESS", "started_at": started, "finished_at": finished}
            connection.execute(sa.update(job_run).where(job_run.c.job_name == name).values(values))
        count_ended(connection)
    h = run_hour.c
    query = sa.select(h.job_name, h.waited_seconds, h.took_seconds).where(h.hour == TWO)
    assert sorted(map(tuple, world.rows(query))) == [("a", 0, 600), ("b", 4, 40)]


def test_a_renamed_schedule_keeps_its_statistics(world: World) -> None:
    world.define(a_schedule("old", cron="0 2 * * *"))
    world.enable("old")
    world.tick(TWO)
    world.finish_runs()
    world.tick(TWO + timedelta(minutes=1))
    world.define(a_schedule("new", cron="0 2 * * *", renamed_from="old"))
    assert counted(world.database, occurrence_hour) == Counter({(TWO, "new", "SUCCESS"): 1})
