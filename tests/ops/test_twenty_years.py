"""Twenty years of calendars, windows, local-day steps and pins: no instant lost, each explained."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.ops.years import DAY, START, Years
from tests.support.factories import World
from tick.ops.reports.why import explain
from tick.settings import Settings
from tick.store.database import Database
from tick.store.sql import AnyRow
from tick.store.tables import metadata

_YEAR = timedelta(days=365.25)


@pytest.fixture
def remembered() -> Iterator[World]:
    """A world in memory: years take thousands of transactions."""
    database = Database.in_memory()
    metadata.create_all(database.write)
    yield World(database, START, Settings(keep_days=36_500, keep_tick_days=30))
    database.close()


def judge(years: Years) -> set[tuple[str, str | None, bool]]:
    """The kinds of rows that came up; each has its sentence, for its own instant as well."""
    assert list(years.nominal_fired_twice()) == []
    found = years.one_row_of_each_kind()
    for row in found:
        explained(years.world, row)
    return {(row.outcome, row.reason_kind, row.nominal_for is not None) for row in found}


def explained(world: World, row: AnyRow) -> None:
    with world.database.read.connect() as connection:
        said = explain(connection, row.schedule_id, row.scheduled_for, world.now)
        assert said.occurrence_id == row.id
        what = "fired" if row.runs else f"did not fire ({row.outcome})"
        assert what in said.sentence, said.sentence
        if row.runs == 0:
            assert row.reason in said.sentence
        if row.nominal_for is None:
            return
        assert ", moved there from " in said.sentence
        own = explain(connection, row.schedule_id, row.nominal_for, world.now)
    assert own.occurrence_id == row.id, (row, own)
    assert own.sentence.endswith(said.sentence)


def test_twenty_years_in_leaps_leave_nothing_unexplained(remembered: World) -> None:
    """Ticks come months apart: each decides many instants, and deploys lie in between."""
    years = Years(remembered, seed=20, schedules=5)
    years.begin()
    years.live(START + 20 * _YEAR, 60 * DAY, 300 * DAY)
    assert years.proven().violations == ()
    kinds = judge(years)
    assert years.pinned > 0
    assert {("SUCCESS", None, True), ("COALESCED", "CALENDAR", False)} <= kinds
    assert {("BLACKOUT", "WINDOW", False), ("BLACKOUT", "CALENDAR", False)} <= kinds


def test_weeks_of_many_changes_leave_nothing_unexplained(remembered: World) -> None:
    years = Years(remembered, seed=1, schedules=14)
    years.begin()
    years.live(START + 60 * DAY, 0.1 * DAY, 3 * DAY)
    assert years.proven().violations == ()
    assert ("SUCCESS", None, True) in judge(years)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_twenty_years_leave_nothing_unexplained(remembered: World, seed: int) -> None:
    years = Years(remembered, seed=seed, schedules=42)
    years.begin()
    for quarter in range(1, 81):
        years.live(START + quarter * _YEAR / 4, 0.1 * DAY, 3 * DAY)
        assert years.proven().violations == ()
    kinds = judge(years)
    assert {("MISSED", None, True), ("SUPPRESSED", None, True)} <= kinds
    assert {("MISSED", "CALENDAR", False), ("COALESCED", None, True)} <= kinds
