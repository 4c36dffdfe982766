"""A newer croniter, or a newer rule of ours around it: stored next instants are worked out anew."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tick.cron import calculator_version as calculators
from tick.cron.calculator_version import calculator, calculator_is_newer
from tick.store.tables import audit_entry, job_schedule, setting

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def worked_out_by(world: World, version: str) -> None:
    """Let the stored next instants stem from another calculator, which put them an hour later."""
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_schedule).values(next_run_at=TWO + HOUR))
        of_it = sa.update(setting).where(setting.c.name == "calculator")
        connection.execute(of_it.values(value={"version": version}))


def version_in_use(world: World) -> dict[str, str]:
    named = sa.select(setting.c.value).where(setting.c.name == "calculator")
    found: dict[str, str] = world.rows(named)[0][0]
    return found


def changes(world: World) -> int:
    return len(
        world.rows(sa.select(audit_entry).where(audit_entry.c.action == "calculator.change"))
    )


@pytest.fixture
def three(world: World) -> World:
    """Three schedules that are on, and one that is off."""
    world.define(*(a_schedule(id) for id in ("a", "b", "c", "off")))
    for id in "abc":
        world.enable(id)
    return world


def test_an_instant_that_a_newer_croniter_puts_earlier_fires_in_time(three: World) -> None:
    worked_out_by(three, "rule 1, croniter 6.2.2")
    three.tick(TWO - timedelta(minutes=30))
    assert [three.schedule(id).next_run_at for id in "abc"] == [TWO] * 3
    assert [three.tick(TWO).fired_count, changes(three)] == [3, 1]
    assert version_in_use(three) == {"version": calculator()}


def test_it_is_done_in_bounded_steps(three: World) -> None:
    three.settings = three.settings.model_copy(update={"chunk_schedules": 1})
    worked_out_by(three, "rule 1, croniter 6.2.2")
    three.tick(TWO - timedelta(minutes=30))
    assert [three.schedule(id).next_run_at for id in "abc"] == [TWO] * 3
    assert changes(three) == 1


def test_a_process_with_an_older_croniter_changes_nothing(three: World) -> None:
    worked_out_by(three, "rule 1, croniter 99.0.0")
    three.tick(TWO - timedelta(minutes=30))
    assert three.schedule("a").next_run_at == TWO + HOUR
    assert version_in_use(three) == {"version": "rule 1, croniter 99.0.0"}


def test_a_sync_works_them_out_anew_as_well(three: World) -> None:
    worked_out_by(three, "rule 0, croniter 99.0.0")
    three.define(*three.schedules)
    assert three.schedule("a").next_run_at == TWO
    assert changes(three) == 1


def test_what_a_person_asked_for_keeps_its_place(three: World) -> None:
    worked_out_by(three, "rule 1, croniter 6.2.2")
    with three.database.write.begin() as connection:
        asked = sa.update(job_schedule).where(job_schedule.c.id == "a")
        connection.execute(asked.values(asked_for=TWO + HOUR))
    three.tick(TWO - timedelta(minutes=30))
    assert three.schedule("a").next_run_at == TWO + HOUR


def test_versions_are_compared_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calculators, "calculator", lambda: "rule 2, croniter 7.10.0")
    assert calculator_is_newer(None)
    assert calculator_is_newer("rule 1, croniter 8.0.0")
    assert calculator_is_newer("rule 2, croniter 7.9.1")
    assert not calculator_is_newer("rule 2, croniter 7.10.0")
    assert not calculator_is_newer("rule 2, croniter 7.11.0")
