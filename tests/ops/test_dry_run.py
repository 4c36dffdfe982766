"""What a tick would do now: the same as it then does, and nothing stays of it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tick.engine.ledger.audit import Act, Author
from tick.ops.actions import run_now, switches
from tick.ops.reports.dry_run import TickPreview, dry_run
from tick.store.database import Database
from tick.store.tables import job_run, metadata, schedule_version

START = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def world(database: Database) -> World:
    """A daily sync, an hourly one that runs long, a weekly one that is not due."""
    world = World(database, now=START)
    world.define(
        a_schedule("daily"),
        a_schedule("hourly", cron="0 * * * *"),
        a_schedule("weekly", cron="0 3 * * 0"),
        jobs=[a_job("features"), a_job("scores", depends_on=["features"])],
    )
    for schedule_id in ("daily", "hourly", "weekly"):
        world.enable(schedule_id)
    return world


def _preview(world: World, now: datetime) -> TickPreview:
    return dry_run(world.database, world.settings, now)


def _everything(world: World) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: [
            tuple(row) for row in world.rows(sa.select(table).order_by(*table.primary_key))
        ]
        for table in metadata.sorted_tables
    }


def test_it_foretells_what_the_tick_then_does(world: World) -> None:
    run_now.run_schedule(world.database, Act(world.now, Author("ada")), "hourly")
    now = DUE + timedelta(seconds=3)
    foretold = [
        (line.schedule_id, line.scheduled_for, line.outcome, line.runs, line.reason)
        for line in _preview(world, now).lines
    ]
    done = world.tick(now)
    assert foretold == [
        (line.schedule_id, line.scheduled_for, line.outcome, line.runs, line.reason)
        for line in sorted([*done.fired, *done.not_fired], key=lambda line: line.schedule_id)
    ]
    assert [outcome for _, _, outcome, _, _ in foretold] == ["QUEUED", "SKIPPED_OVERLAP"]


def test_it_foretells_where_the_storm_brake_stops_the_tick(world: World) -> None:
    world.settings = world.settings.model_copy(update={"max_runs_per_tick": 1})
    assert len(_preview(world, DUE).lines) == world.tick(DUE).fired_count == 1


def test_nothing_of_it_stays(world: World) -> None:
    before = _everything(world)
    found = _preview(world, DUE + timedelta(days=3))
    assert {line.outcome for line in found.lines} >= {"MISSED"}
    assert _everything(world) == before
    assert world.rows(sa.select(job_run)) == []


def test_nothing_due_takes_no_write_transaction(world: World) -> None:
    with world.database.write.begin():
        found = _preview(world, START)
    assert (found.now, found.lines, found.errors, found.more) == (START, (), {}, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "{}", "rule_key": "broken"},
        {
            "target": sa.func.replace(schedule_version.c.target, '"scores"', "null"),
            "target_key": "broken",
        },
    ],
)
def test_a_broken_schedule_does_not_hide_the_others(world: World, wrong: dict[str, object]) -> None:
    with world.database.write.begin() as connection:
        broken = sa.update(schedule_version).where(schedule_version.c.schedule_id == "daily")
        connection.execute(broken.values(wrong))
    found = _preview(world, DUE)
    assert [line.schedule_id for line in found.lines] == ["hourly"]
    assert list(found.errors) == ["daily"]
    assert world.schedule("daily").last_error is None


def test_a_pause_that_is_over_would_end(world: World) -> None:
    switches.pause_schedule(
        world.database, Act(START, Author("ada"), reason="a while"), "daily", until=DUE
    )
    found = _preview(world, DUE + timedelta(seconds=1))
    assert found.pauses_over == 1
    assert "daily" in {line.schedule_id for line in found.lines}
    assert world.schedule("daily").state == "PAUSED"
