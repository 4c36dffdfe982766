"""One sentence for each thing that can become of an instant, and the facts behind it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.schedules import lifecycle
from tick.engine.statistics.prune_state import note_ledger
from tick.errors import NotFound
from tick.ops.actions import switches, windows
from tick.ops.reports.why import Why, explain
from tick.store.tables import occurrence, schedule_version

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def daily(world: World) -> World:
    """Daily at 02:00, enabled at 01:59."""
    world.define(a_schedule())
    world.enable()
    return world


def why(world: World, at: datetime, schedule_id: str = "daily") -> Why:
    with world.database.read.connect() as connection:
        return explain(connection, schedule_id, at, world.now)


def facts(found: Why) -> dict[str, str]:
    return {fact.name: fact.text for fact in found.facts}


def test_what_fired(daily: World) -> None:
    daily.tick(TWO + MINUTE)
    found = why(daily, TWO)
    assert found.sentence == "daily at 2026-03-01 02:00:00 UTC fired, 1 min late, and is QUEUED."
    said = facts(found)
    assert said["version"] == "1, 0 2 * * * (UTC), since 2026-03-01 01:59:00 UTC by tester"
    assert said["tick after"] == "2026-03-01 02:01:00 UTC by test"
    assert said["tick before"] == "none is known"
    assert said["before it"].startswith("schedule.")
    assert said["runs"] == "1 QUEUED"
    assert said["state now"] == "ACTIVE"


def test_what_was_missed(daily: World) -> None:
    daily.tick(TWO - MINUTE)
    daily.tick(TWO + HOUR)
    found = why(daily, TWO)
    assert found.sentence == (
        "daily at 2026-03-01 02:00:00 UTC did not fire (MISSED): no tick came in time; "
        "the next one came 2026-03-01 03:00:00 UTC."
    )
    assert facts(found)["tick before"] == "2026-03-01 01:59:00 UTC by test"
    assert facts(found)["tick after"] == "2026-03-01 03:00:00 UTC by test"


def test_what_an_earlier_one_blocked(world: World) -> None:
    world.define(a_schedule("hourly", cron="0 * * * *"))
    world.enable("hourly")
    world.tick(TWO)
    world.tick(TWO + HOUR)
    found = why(world, TWO + HOUR, "hourly")
    assert "(SKIPPED_OVERLAP): an earlier occurrence had not finished" in found.sentence
    assert facts(found)["behind"].endswith(
        "(QUEUED), which no worker had begun then: queued since 2026-03-01 02:00:00 UTC"
    )


def test_what_passed_during_a_pause(daily: World) -> None:
    switches.pause_schedule(daily.database, Act(daily.now, TESTER, reason="moving house"), "daily")
    daily.now = TWO + 2 * DAY + HOUR
    assert why(daily, TWO).sentence.endswith("did not fire: paused by tester: moving house.")
    assert why(daily, TWO + 5 * DAY).sentence.endswith(
        "will not fire: paused by tester: moving house."
    )
    switches.resume_schedule(daily.database, Act(daily.now, TESTER), "daily")
    found = why(daily, TWO + DAY)
    assert "did not fire (SUPPRESSED): paused by tester: moving house" in found.sentence
    assert facts(found)["one row for"].startswith("3 instants")


def test_what_was_not_due(daily: World) -> None:
    assert why(daily, TWO + MINUTE).sentence == (
        "daily was not due at 2026-03-01 02:01:00 UTC: by version 1 its instants around it are "
        "2026-03-01 02:00:00 UTC and 2026-03-02 02:00:00 UTC."
    )


def test_what_is_to_come_and_what_waits_for_a_tick(daily: World) -> None:
    assert why(daily, TWO).sentence.endswith("is still to come.")
    daily.now = TWO + MINUTE
    assert why(daily, TWO).sentence.endswith("is due and waits for a tick.")


def test_a_window_suppresses_instants_from_its_start_to_before_its_end(daily: World) -> None:
    def stop(at: datetime) -> None:
        windows.stop_scheduler(daily.database, Act(at, TESTER, reason="new disks"))

    stop(TWO - HOUR)
    said = "the scheduler was stopped at 2026-03-01 01:00 UTC by tester: new disks."
    assert why(daily, TWO + DAY).sentence.endswith(f" will not fire: {said}")
    daily.now = TWO
    assert why(daily, TWO).sentence.endswith(f" does not fire: {said}")
    daily.tick(TWO)
    assert why(daily, TWO).sentence.endswith(f" did not fire (BLACKOUT): {said}")
    windows.start_scheduler(daily.database, Act(TWO + HOUR, TESTER))
    stop(TWO + DAY + MINUTE)
    daily.now = TWO + DAY + 2 * MINUTE
    assert "is due, and nothing fires now: the scheduler was" in why(daily, TWO + DAY).sentence


def test_what_a_window_to_come_will_keep_from_firing(daily: World) -> None:
    daily.plan_window(TWO + DAY - HOUR, TWO + DAY + HOUR)
    assert " will not fire: maintenance window 1, " in why(daily, TWO + DAY).sentence


def test_what_waits_after_an_error(daily: World) -> None:
    with daily.database.write.begin() as connection:
        lifecycle.back_off(connection, "daily", now=TWO, error="no such thing")
    daily.now = TWO + MINUTE
    assert why(daily, TWO).sentence.endswith(
        "waits for a tick, not before 2026-03-01 02:02:00 UTC after an error (no such thing)."
    )


def test_what_was_never_switched_on(world: World) -> None:
    world.define(a_schedule())
    world.now = TWO + DAY
    assert why(world, TWO).sentence.endswith("did not fire: it had not been switched on yet.")


def test_what_was_before_the_schedule_and_what_has_been_pruned(daily: World) -> None:
    assert why(daily, TWO - DAY).sentence.endswith("was before the schedule was known here.")
    daily.tick(TWO)
    with daily.database.write.begin() as connection:
        connection.execute(sa.delete(occurrence))
        note_ledger(connection, TWO, TWO)
    assert why(daily, TWO).sentence.endswith("was decided, and its row has been pruned since.")


def test_what_a_used_up_limit_keeps_from_firing(world: World) -> None:
    world.define(a_schedule(max_runs=1))
    world.enable()
    world.tick(TWO)
    assert "its limit of 1 runs is used up" in why(world, TWO + DAY).sentence


def test_each_instant_is_explained_by_the_version_of_its_time(daily: World) -> None:
    daily.tick(TWO)
    daily.now = TWO + HOUR
    daily.define(a_schedule(cron="0 5 * * *"))
    assert facts(why(daily, TWO))["version"].startswith("1, 0 2 * * *")
    assert facts(why(daily, TWO + 3 * HOUR))["version"].startswith("2, 0 5 * * *")


def test_a_renamed_schedule_remembers_who_switched_it_on(daily: World) -> None:
    daily.define(a_schedule("nightly", renamed_from="daily"))
    found = why(daily, TWO + DAY, "nightly")
    texts = [fact.text for fact in found.facts if fact.name == "before it"]
    assert any(text.startswith("schedule.enable by tester") for text in texts)


@pytest.mark.parametrize(
    "rule",
    [
        '{"kind": "NEW"}',
        '{"kind": "CRON", "cron": "0 2 * * *", "timezone": "Mars/Olympus"}',
        "nonsense",
    ],
)
def test_why_explains_decisions_of_an_unreadable_rule(daily: World, rule: str) -> None:
    daily.tick(TWO + MINUTE)
    with daily.database.write.begin() as connection:
        connection.execute(sa.update(schedule_version).values(rule=rule))
    found = why(daily, TWO)
    assert found.sentence == "daily at 2026-03-01 02:00:00 UTC fired, 1 min late, and is QUEUED."
    said = facts(found)
    assert said["version"].startswith("1, which can't be read: ")
    assert said["runs"] == "1 QUEUED"
    assert "missed" not in said
    tomorrow = why(daily, TWO + DAY).sentence
    assert "02:00:00 UTC can't be explained: version 1 can't be read: " in tomorrow


def test_an_unknown_schedule_is_refused(daily: World) -> None:
    with pytest.raises(NotFound):
        why(daily, TWO, "weekly")
