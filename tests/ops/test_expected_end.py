"""When an occurrence will have ended, from what its jobs usually take."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tick.define.alerts import Deadline
from tick.engine.statistics import durations
from tick.notify.inputs import read_inputs
from tick.ops.reports.expected_end import ExpectedEnd, read_expected_end
from tick.store.tables import job_run

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def habits(world: World) -> World:
    """For three nights, fetch took 60 s and match, which waits for it, 300 s."""
    world.define(a_schedule(), jobs=[a_job("fetch"), a_job("match", depends_on=["fetch"])])
    world.enable()
    for night in range(3):
        start = TWO + night * DAY
        world.tick(start)
        for job, (begins, lasts) in {"fetch": (0, 60), "match": (60, 300)}.items():
            world.now = start + timedelta(seconds=begins + lasts)
            _end(world, job, start + timedelta(seconds=begins))
        world.finish_runs()
        world.tick(start + DAY / 2)
    return world


def _end(world: World, job: str, started: datetime) -> None:
    mine = sa.and_(job_run.c.job_name == job, job_run.c.status == "QUEUED")
    values = {"status": "SUCCESS", "started_at": started, "finished_at": world.now}
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(mine).values(values))


def expected(world: World, occurrence_id: int = 4) -> ExpectedEnd | None:
    with world.database.read.connect() as connection:
        return read_expected_end(connection, occurrence_id, world.now)


def test_it_adds_up_what_the_jobs_on_the_way_usually_take(habits: World) -> None:
    habits.tick(TWO + 3 * DAY)
    found = expected(habits)
    assert found is not None
    assert found.critical == ("fetch", "match")
    assert found.unknown == ()
    length = (found.ends_at - habits.now).total_seconds()
    assert length == pytest.approx(360, rel=0.25)


def test_what_has_ended_is_not_expected(habits: World) -> None:
    assert expected(habits, 3) is None
    assert expected(habits, 99) is None


def test_a_job_without_history_is_named(habits: World) -> None:
    habits.define(a_schedule(), jobs=[*habits.jobs, a_job("mail")])
    habits.tick(TWO + 3 * DAY)
    found = expected(habits)
    assert found is not None and found.unknown == ("mail",)


def foreseen(world: World) -> dict[int, datetime]:
    """The ends that the rule on deadlines judges by."""
    with world.database.read.connect() as connection:
        return read_inputs(connection, world.now).expected


def test_page_and_deadline_alert_foresee_the_same_end(world: World) -> None:
    """Of more runs than a page shows, the last one decides."""
    names = [f"job-{number:03}" for number in range(502)]
    rules = (Deadline(after=timedelta(hours=1)),)
    world.define(a_schedule(alerts=rules), jobs=[a_job(name) for name in names])
    world.enable()
    world.tick(TWO)
    last = job_run.c.job_name == names[-1]
    values = {"status": "RUNNING", "started_at": TWO, "progress": 0.5}
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(last).values(values))
    world.now = TWO + timedelta(minutes=40)
    found = expected(world, 1)
    assert found is not None
    assert (found.ends_at, found.critical) == (TWO + timedelta(minutes=80), (names[-1],))
    assert foreseen(world) == {1: found.ends_at}


def test_an_occurrence_that_can_not_be_read_whole_has_no_forecast(
    habits: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    habits.define(a_schedule(alerts=(Deadline(after=timedelta(hours=1)),)), jobs=[*habits.jobs])
    habits.tick(TWO + 3 * DAY)
    found = expected(habits)
    assert found is not None and foreseen(habits) == {4: found.ends_at}
    monkeypatch.setattr(durations, "MAX_FORECAST_RUNS", 1)
    assert expected(habits) is None
    assert foreseen(habits) == {}
