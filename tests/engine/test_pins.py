"""A schedule is pinned to an earlier version, until its definition changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.errors import NotFound, Refused
from tick.ops.actions import custom_schedules, pins, switches
from tick.ops.queries.schedules import Pin, find_schedule
from tick.ops.reports.deploy_plan import Plan, plan_deploy
from tick.ops.reports.verify import verify
from tick.ops.reports.why import explain
from tick.store.tables import audit_entry, schedule_version

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
EIGHT, NINE = "0 8 * * *", "0 9 * * *"


@pytest.fixture
def moved(world: World) -> World:
    """A schedule that a deploy has just moved from 08:00 to 09:00."""
    world.now = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    world.define(a_schedule(cron=EIGHT), jobs=[a_job("match"), a_job("feed")])
    world.enable()
    world.define(a_schedule(cron=NINE))
    return world


def pin(world: World, number: int = 1, reason: str | None = "nine is too late") -> None:
    act = Act(world.now, TESTER, reason=reason)
    pins.pin_schedule(world.database, act, "daily", world.registry, number)


def unpin(world: World, schedule_id: str = "daily") -> None:
    pins.unpin_schedule(world.database, Act(world.now, TESTER), schedule_id, world.registry)


def pin_of(world: World, schedule_id: str = "daily") -> Pin | None:
    with world.database.read.connect() as connection:
        return find_schedule(connection, schedule_id).pin


def versions(world: World) -> list[str]:
    v = schedule_version.c
    found = sa.select(v.rule).where(v.schedule_id == "daily").order_by(v.number)
    return [row.rule.split('"cron":"')[1].split('"')[0] for row in world.rows(found)]


def audited(world: World, action: str) -> list[sa.Row[Any]]:
    return world.rows(sa.select(audit_entry).where(audit_entry.c.action == action))


def plan(world: World) -> Plan:
    with world.database.read.connect() as connection:
        return plan_deploy(connection, world.registry, world.now)


def fired(world: World) -> list[str]:
    ledger = world.ledger()
    return [f"{at:%d %H}" for outcome, at, _ in ledger if at and outcome in ("QUEUED", "SUCCESS")]


def test_a_pinned_schedule_goes_by_the_earlier_version_from_now_on(moved: World) -> None:
    pin(moved)
    assert f"{moved.schedule().next_run_at:%d %H}" == "02 08"
    assert versions(moved) == [EIGHT, NINE, EIGHT]
    moved.tick(moved.now + HOUR)
    assert fired(moved) == ["02 08"]
    found = pin_of(moved)
    assert found is not None
    assert (found.version, found.over, found.by) == (1, 2, "tester")
    assert found.reason == "nine is too late"


def test_a_pin_fires_no_instant_that_has_passed(moved: World) -> None:
    moved.now += HOUR + MINUTE  # the earlier version would have fired a minute ago
    pin(moved)
    moved.tick()
    assert fired(moved) == []
    assert f"{moved.schedule().next_run_at:%d %H}" == "03 08"


def test_what_is_due_is_decided_by_the_rule_that_was_in_force(moved: World) -> None:
    moved.now += 2 * HOUR + MINUTE
    pin(moved)
    assert fired(moved) == ["02 09"]


def test_a_pin_holds_through_syncs_that_bring_the_same_definition(moved: World) -> None:
    pin(moved)
    moved.define(*moved.schedules)
    moved.define(*moved.schedules, a_schedule("weekly", cron="0 3 * * 0"))
    moved.define(a_schedule(cron=NINE, description="another word"))
    assert pin_of(moved) is not None
    assert versions(moved) == [EIGHT, NINE, EIGHT]
    assert not audited(moved, "schedule.unpin")


def test_the_deploy_that_changes_the_schedule_ends_its_pin(moved: World) -> None:
    pin(moved)
    moved.define(a_schedule(cron="30 9 * * *"))
    assert pin_of(moved) is None
    assert versions(moved)[-1] == "30 9 * * *"
    (ended,) = audited(moved, "schedule.unpin")
    assert (ended.actor, ended.before) == ("tester", {"pinned_to": 1})
    assert ended.reason == "its definition was changed: a pin holds until then"


def test_a_deploy_that_goes_back_to_the_pinned_definition_ends_the_pin_too(moved: World) -> None:
    pin(moved)
    moved.define(a_schedule(cron=EIGHT))
    assert pin_of(moved) is None
    assert f"{moved.schedule().next_run_at:%d %H}" == "02 08"


def test_a_deploy_that_takes_a_job_of_the_pinned_version_away_ends_the_pin(world: World) -> None:
    world.define(a_schedule(job="feed"), jobs=[a_job("match"), a_job("feed")])
    world.define(a_schedule(job="match"))
    pin(world)
    world.define(a_schedule(job="match"), jobs=[a_job("match")])
    assert pin_of(world) is None
    assert len(audited(world, "schedule.unpin")) == 1


def test_removing_and_bringing_back_ends_a_pin(moved: World) -> None:
    pin(moved)
    moved.define(a_schedule("other"))
    moved.define(a_schedule(cron=NINE))
    assert pin_of(moved) is None
    assert f"{moved.schedule().next_run_at:%d %H}" == "02 09"


def test_a_renamed_schedule_stays_pinned(moved: World) -> None:
    pin(moved)
    moved.define(a_schedule("early", cron=NINE, renamed_from="daily"))
    found = pin_of(moved, "early")
    assert found is not None
    assert found.version == 1


def test_unpinning_goes_back_to_what_the_definition_says(moved: World) -> None:
    pin(moved)
    unpin(moved)
    assert pin_of(moved) is None
    assert f"{moved.schedule().next_run_at:%d %H}" == "02 09"
    assert versions(moved) == [EIGHT, NINE, EIGHT, NINE]
    moved.define(*moved.schedules)
    assert versions(moved) == [EIGHT, NINE, EIGHT, NINE]


def test_a_pin_may_be_moved_to_another_version(moved: World) -> None:
    moved.define(a_schedule(cron="0 10 * * *"))
    pin(moved, 1)
    pin(moved, 2)
    found = pin_of(moved)
    assert found is not None
    assert (found.version, found.over) == (2, 3)
    unpin(moved)
    assert versions(moved)[-1] == "0 10 * * *"


def test_what_makes_no_sense_is_refused_with_the_next_step(moved: World) -> None:
    with pytest.raises(NotFound, match="no version 9; `tick versions daily` lists them"):
        pin(moved, 9)
    with pytest.raises(Refused, match="says the same as version 2, which is in force"):
        pin(moved, 2)
    with pytest.raises(Refused, match="A pin needs a reason"):
        pin(moved, reason=" ")
    with pytest.raises(Refused, match="daily is not pinned"):
        unpin(moved)
    pin(moved)
    with pytest.raises(Refused, match="`tick unpin daily` goes back to it"):
        pin(moved, 2)
    moved.define(a_schedule("other"))
    with pytest.raises(Refused, match="is not there any more"):
        pin(moved)


def test_a_version_whose_jobs_are_gone_is_refused_with_their_names(world: World) -> None:
    world.define(a_schedule(job="feed"), jobs=[a_job("match"), a_job("feed")])
    world.define(a_schedule(job="match"), jobs=[a_job("match")])
    with pytest.raises(Refused, match="Version 1 runs feed, which the definitions don't have"):
        pin(world)


def test_a_pin_flips_no_switch_and_ends_no_pause(moved: World) -> None:
    act = Act(moved.now, TESTER, reason="holidays")
    switches.pause_schedule(moved.database, act, "daily")
    pin(moved)
    row = moved.schedule()
    assert (row.state, row.next_run_at) == ("PAUSED", None)
    switches.resume_schedule(moved.database, Act(moved.now, TESTER), "daily")
    assert f"{moved.schedule().next_run_at:%H}" == "08"
    moved.disable()
    unpin(moved)
    assert (moved.schedule().enabled, moved.schedule().next_run_at) == (False, None)


def test_the_plan_shows_what_is_pinned_and_which_pins_end(moved: World) -> None:
    pin(moved)
    found = plan(moved)
    assert found.changes_nothing
    assert [each.schedule_id for each in found.pinned] == ["daily"]
    moved.schedules = [a_schedule(cron="30 9 * * *")]
    found = plan(moved)
    assert found.pinned == ()
    assert "its pin to version 1 ends" in found.changes[0].what


def test_pinned_days_are_proven_and_explained(moved: World) -> None:
    start = moved.now
    pin(moved)
    moved.tick(moved.now + HOUR)
    moved.finish_runs()
    moved.now += DAY - HOUR
    moved.define(a_schedule(cron="0 10 * * *"))
    moved.tick(moved.now + 3 * HOUR)
    assert fired(moved) == ["02 08", "03 10"]
    assert verify(moved.database, start, moved.now).ok
    with moved.database.read.connect() as connection:
        why = explain(connection, "daily", start + HOUR, moved.now)
    assert {"name": "pinned", "text": "to version 1 by tester: nine is too late"} in [
        fact.as_dict() for fact in why.facts
    ]


def test_a_schedule_made_by_hand_is_pinned_until_its_next_edit(moved: World) -> None:
    act, registry = Act(moved.now, TESTER, reason="so"), moved.registry
    written = {"name": "Late", "cron": "0 20 * * *", "job": "match"}
    custom_schedules.create_schedule(moved.database, act, registry, written)
    custom_schedules.edit_schedule(moved.database, act, "late", registry, {"cron": "0 21 * * *"})
    pins.pin_schedule(moved.database, act, "late", registry, 1)
    moved.define(*moved.schedules)
    found = pin_of(moved, "late")
    assert found is not None
    assert found.over == 2
    custom_schedules.edit_schedule(moved.database, act, "late", registry, {"description": "new"})
    assert pin_of(moved, "late") is None
    with moved.database.read.connect() as connection:
        # What a person wrote last is what the edit went on from.
        assert find_schedule(connection, "late").timing.expression == "0 21 * * *"


def test_a_deploy_that_changes_the_jobs_of_a_schedule_by_hand_ends_its_pin(moved: World) -> None:
    act, registry = Act(moved.now, TESTER, reason="so"), moved.registry
    written = {"name": "Late", "cron": "0 20 * * *", "job": "match"}
    custom_schedules.create_schedule(moved.database, act, registry, written)
    custom_schedules.edit_schedule(moved.database, act, "late", registry, {"cron": "0 21 * * *"})
    pins.pin_schedule(moved.database, act, "late", registry, 1)
    moved.define(*moved.schedules, jobs=[a_job("match", priority=5), a_job("feed")])
    assert pin_of(moved, "late") is None
    with moved.database.read.connect() as connection:
        assert find_schedule(connection, "late").timing.expression == "0 21 * * *"


def test_a_pin_brings_a_schedule_back_whose_new_rule_could_not_be_fired(moved: World) -> None:
    with moved.database.write.begin() as connection:
        broken = schedule_version.c.number == 2
        connection.execute(sa.update(schedule_version).where(broken).values(rule="{}"))
    moved.now += 3 * HOUR
    for minutes in (0, 5, 15, 35, 75, 200):
        moved.tick(moved.now + timedelta(minutes=minutes))
    assert moved.schedule().state == "ERROR"
    pin(moved)
    row = moved.schedule()
    assert (row.state, f"{row.next_run_at:%H}") == ("ACTIVE", "08")
