"""Instants that move though no definition changes are told before a tick goes by what is new."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tests.support.zones import fixed, released
from tick.cron.calculator_version import calculator
from tick.cron.zone_data import using
from tick.define.calendars import Calendar
from tick.engine.schedules import forecasts
from tick.engine.schedules.forecasts import write_forecasts
from tick.engine.statistics.prune import Keep
from tick.ops.reports.deploy_plan import Plan, plan_deploy
from tick.ops.reports.drift import Drift
from tick.store.tables import instant_forecast, job_schedule, setting
from tick.ticks.housekeeping import housekeeping

ZONE = "America/Vancouver"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NINE = datetime(2026, 12, 1, 17, tzinfo=UTC)  # nine o'clock at UTC-8
HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=366)
OLD = released("2025b", {ZONE: fixed(-8)})
NEW = released("2026f", {ZONE: fixed(-7)})


@pytest.fixture(autouse=True)
def old_data() -> Iterator[None]:
    with using(OLD):
        yield


def start(world: World, **parts: Any) -> World:
    """A schedule at nine in Vancouver that is on, with its forecast."""
    world.now = NOW
    world.define(a_schedule(**{"cron": "0 9 * * *", "timezone": ZONE, **parts}))
    world.enable()
    forecast(world)
    return world


def forecast(world: World) -> int:
    return write_forecasts(world.database.write, world.now, lambda: True, 1.0)


def planned(world: World) -> Plan:
    with world.database.read.connect() as connection:
        return plan_deploy(connection, world.registry, world.now)


def drift(world: World) -> Drift:
    (found,) = planned(world).drift
    return found


def moved(world: World) -> list[tuple[datetime | None, datetime | None]]:
    return [(move.before, move.after) for move in drift(world).moved]


def use_calculator(world: World, version: str) -> None:
    """Let another calculator have worked out what is stored."""
    with world.database.write.begin() as connection:
        its = sa.update(setting).where(setting.c.name == "calculator")
        connection.execute(its.values(value={"version": version}))
        connection.execute(sa.update(instant_forecast).values(calculator=version))


def test_nothing_moves_where_nothing_is_new(world: World) -> None:
    plan = planned(start(world))
    assert plan.changes_nothing
    assert plan.drift == ()


def test_newer_zone_data_move_each_instant_of_the_year(world: World) -> None:
    start(world)
    with using(NEW):
        found = drift(world)
        assert found.why == "time zone data 2025b → 2026f"
        assert (found.count, found.until) == (366, NOW + YEAR)
        expected = [(NINE + day * DAY, NINE - HOUR + day * DAY) for day in range(366)]
        assert moved(world) == expected
        assert not planned(world).changes_nothing


def test_after_the_tick_that_goes_by_them_nothing_is_left_to_tell(world: World) -> None:
    start(world)
    with using(NEW):
        world.tick(NOW)
        assert planned(world).drift == ()


def test_older_zone_data_move_nothing_for_they_are_not_gone_by(world: World) -> None:
    with using(NEW):
        start(world)
    assert planned(world).drift == ()


def test_what_is_off_moves_nothing_that_fires(world: World) -> None:
    start(world)
    world.disable()
    with using(NEW):
        assert planned(world).drift == ()


def test_a_schedule_that_follows_utc_is_left_out(world: World) -> None:
    start(world, timezone="UTC")
    with using(NEW):
        assert planned(world).drift == ()


def test_a_newer_calculator_moves_what_the_former_one_foretold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(world, cron="0 9 1 * *")
    shifted = [NINE + HOUR, datetime(2027, 1, 1, 17, tzinfo=UTC)]
    with world.database.write.begin() as connection:
        until = NINE + 40 * DAY
        told = sa.update(instant_forecast)
        connection.execute(told.values(instants=forecasts.pack(shifted), until=until))
    use_calculator(world, "rule 0, croniter 1.0")
    assert moved(world) == [(NINE + HOUR, NINE)]
    assert drift(world).why == f"calculator rule 0, croniter 1.0 → {calculator()}"
    assert drift(world).until == until


def test_without_a_forecast_the_stored_next_instant_is_compared(world: World) -> None:
    start(world)
    use_calculator(world, "rule 0, croniter 1.0")
    with world.database.write.begin() as connection:
        connection.execute(sa.delete(instant_forecast))
        connection.execute(sa.update(job_schedule).values(next_run_at=NINE + HOUR))
    assert moved(world) == [(NINE + HOUR, NINE)]


def test_other_days_off_move_the_instants_of_their_days(world: World) -> None:
    world.calendars = [Calendar("works", dates={"2026-12-09": "Closed"}, until="2030-12-31")]
    start(world, calendar="works")
    world.calendars = [Calendar("works", dates={"2026-12-08": "Festival"}, until="2030-12-31")]
    gone, come = NINE + 7 * DAY, NINE + 8 * DAY
    assert moved(world) == [(gone, None), (None, come)]
    assert drift(world).why == "the days off of its calendar"


def test_another_definition_is_no_drift(world: World) -> None:
    start(world)
    world.schedules = [a_schedule(timezone=ZONE, cron="0 10 * * *")]
    with using(NEW):
        plan = planned(world)
    assert len(plan.changes) == 1
    assert plan.drift == ()


def test_a_forecast_is_written_once_and_renewed_before_it_runs_out(world: World) -> None:
    start(world)
    assert forecast(world) == 0
    world.now += 91 * DAY
    assert forecast(world) == 0
    world.now += DAY
    assert forecast(world) == 1


def test_a_new_version_has_a_forecast_of_its_own_and_the_former_one_goes(world: World) -> None:
    start(world)
    world.define(a_schedule(timezone=ZONE, cron="0 10 * * *"))
    assert forecast(world) == 1
    (row,) = world.rows(sa.select(instant_forecast))
    assert row.version_id == world.schedule().version_id


def test_while_another_calculator_is_in_use_its_forecasts_stay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(world)
    before = world.rows(sa.select(instant_forecast))
    monkeypatch.setattr(forecasts, "calculator", lambda: "rule 99, croniter 99")
    assert forecast(world) == 0
    assert world.rows(sa.select(instant_forecast)) == before


def test_the_housekeeping_that_prunes_writes_forecasts_too(world: World) -> None:
    start(world)
    with world.database.write.begin() as connection:
        connection.execute(sa.delete(instant_forecast))
    keep = Keep.of(world.settings)
    housekeeping(world.database.write, NOW + 2 * HOUR, keep, lambda: True)
    assert len(world.rows(sa.select(instant_forecast))) == 1


def test_a_schedule_that_fires_each_minute_is_compared_for_the_next_days(world: World) -> None:
    start(world, cron="* * * * *")
    (row,) = world.rows(sa.select(instant_forecast))
    assert row.until == NOW + forecasts.MOST_COMPARED * timedelta(minutes=1)
    assert len(row.instants) < 1000
    world.now += 2 * DAY
    assert forecast(world) == 1
