"""A proof in parts is the proof of the whole: between two, nothing is lost or counted twice."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tests.support.proofs import prove
from tick.engine.statistics.prune import Keep, prune_all
from tick.ops.reports import verify_parts
from tick.ops.reports.verify import Proof, verify
from tick.ops.reports.verify_parts import join_parts
from tick.store.tables import occurrence, schedule_version

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def month(world: World) -> World:
    """An hourly schedule that ticked a little, stood for weeks, and was switched off in the end."""
    world.define(a_schedule("hourly", cron="0 * * * *"), a_schedule("daily", cron="0 0 * * *"))
    world.enable("hourly")
    world.enable("daily")
    for after in (HOUR, 2 * HOUR, 3 * DAY, 3 * DAY + HOUR, 25 * DAY, 29 * DAY):
        world.tick(TWO + after + MINUTE)
        world.finish_runs()
    world.disable("hourly")
    world.now += 10 * HOUR
    return world


def in_parts(world: World, start: datetime) -> Proof:
    return join_parts(list(prove(world.database, start, world.now)))


@pytest.mark.parametrize("part", [7 * HOUR, DAY, 8 * DAY, 400 * DAY], ids=str)
def test_parts_prove_what_the_whole_proves(
    month: World, monkeypatch: pytest.MonkeyPatch, part: timedelta
) -> None:
    monkeypatch.setattr(verify_parts, "PART", part)
    whole = verify(month.database, TWO - 40 * DAY, month.now)
    assert in_parts(month, TWO - 40 * DAY) == whole
    assert whole.ok and whole.outcomes["MISSED"] > 500 and whole.off == 10


@pytest.mark.parametrize("part", [7 * HOUR, 8 * DAY], ids=str)
def test_a_row_across_a_border_is_a_violation_once(
    month: World, monkeypatch: pytest.MonkeyPatch, part: timedelta
) -> None:
    monkeypatch.setattr(verify_parts, "PART", part)
    o = occurrence.c
    with month.database.write.begin() as connection:
        longest = sa.select(o.id).order_by(o["count"].desc()).limit(1).scalar_subquery()
        connection.execute(
            sa.update(occurrence).where(o.id == longest).values(count=o["count"] + 1)
        )
    found = in_parts(month, TWO - DAY)
    said = [violation.message for violation in found.violations]
    assert not found.ok
    assert sum("stands for" in message for message in said) == 1
    assert len(said) == len(set(said))


def test_what_was_pruned_is_passed_over(month: World) -> None:
    keep = Keep(days=20, log_days=20, tick_days=20, statistics_days=20)
    while not prune_all(month.database.write, month.now, keep)[1]:
        pass
    parts = list(prove(month.database, TWO - 4000 * DAY, month.now))
    assert len(parts) < 6
    found = join_parts(parts)
    assert found.ok
    assert found.start == found.pruned_to > TWO
    assert found.end == month.now


def test_what_was_before_the_first_schedule_is_passed_over(month: World) -> None:
    since = datetime(2000, 1, 1, tzinfo=UTC)
    parts = list(prove(month.database, since, month.now))
    assert len(parts) < 7
    assert join_parts(parts) == verify(month.database, since, month.now)


def test_firings_by_hand_before_the_first_schedule_are_proven(month: World) -> None:
    o = occurrence.c
    with month.database.write.begin() as connection:
        fired = sa.select(sa.func.min(o.id)).where(o.runs > 0).scalar_subquery()
        change = {"scheduled_for": TWO - 400 * DAY, "runs": o.runs + 1}
        connection.execute(sa.update(occurrence).where(o.id == fired).values(change))
    parts = list(prove(month.database, TWO - 4000 * DAY, month.now))
    assert len(parts) < 10
    said = [each.message for each in join_parts(parts).violations if "instead of" in each.message]
    assert len(said) == 1


def test_an_unreadable_version_is_one_violation_over_all_parts(
    month: World,
) -> None:
    v = schedule_version.c
    with month.database.write.begin() as connection:
        broken = sa.update(schedule_version).where(v.schedule_id == "daily")
        connection.execute(broken.values(rule='{"kind": "NEW"}'))
    found = in_parts(month, TWO - DAY)
    assert [each.schedule_id for each in found.violations] == ["daily"]
    assert "cannot be read by this release" in found.violations[0].message
    whole = verify(month.database, TWO - DAY, month.now)
    assert found.violations == whole.violations


def test_a_time_of_no_length_is_proven_at_once(month: World) -> None:
    (part,) = prove(month.database, month.now, month.now)
    assert (part.ok, part.instants) == (True, 0)
    assert join_parts([part]) == part
