"""What each policy and each kind of schedule does, through the real tick."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule, a_worker
from tick.engine.ledger.audit import Act
from tick.engine.runs.claim import claim_runs
from tick.engine.runs.settle import settle_forgotten
from tick.ops.actions import run_now
from tick.store.tables import job_run, occurrence, worker_instance

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def enabled(world: World, schedule_id: str = "hourly", **parts: Any) -> World:
    """The world with one enabled schedule, hourly unless said otherwise."""
    if not {"every", "at"} & parts.keys():
        parts.setdefault("cron", "0 * * * *")
    world.define(a_schedule(schedule_id, **parts))
    world.enable(schedule_id)
    return world


def fired(world: World, at: datetime) -> list[datetime]:
    return [line.scheduled_for for line in world.tick(at).fired]


def claimable(world: World) -> list[datetime | None]:
    """The instants whose runs a worker would get now; nothing is claimed."""
    with world.database.write.connect() as connection, connection.begin() as transaction:
        found = claim_runs(
            connection,
            worker_id=None,  # type: ignore[arg-type]
            now=world.now,
            limit=50,
            queues=None,
            jobs=world.registry.jobs,
        )
        transaction.rollback()
    return [run.scheduled_for for run in found]


def start_all(world: World) -> None:
    """A worker that lives for long has started every run."""
    worker = a_worker(world.now, id="w1", last_heartbeat_at=world.now + DAY)
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance), worker)
        connection.execute(sa.update(job_run).values(status="RUNNING", worker_id="w1"))


def statuses(world: World) -> list[tuple[datetime, str]]:
    r = job_run.c
    return [
        tuple(row)
        for row in world.rows(sa.select(r.scheduled_for, r.status).order_by(r.scheduled_for))
    ]


def settle(world: World) -> None:
    with world.database.write.begin() as connection:
        settle_forgotten(connection, world.now)


# --- missed instants ---


def test_catch_up_fires_the_newest_missed_instant_and_no_other(world: World) -> None:
    enabled(world, missed="CATCH_UP")
    assert fired(world, TWO + 5 * HOUR + HOUR / 2) == [TWO + 5 * HOUR]
    assert world.ledger("hourly") == [("MISSED", TWO, 5), ("QUEUED", TWO + 5 * HOUR, 1)]


def test_catch_up_all_fires_one_a_tick_oldest_first(world: World) -> None:
    enabled(world, missed="CATCH_UP_ALL")
    now = TWO + 2 * HOUR + HOUR / 2
    found = []
    for minute in range(4):
        found += fired(world, now + minute * MINUTE)
        world.finish_runs()
    assert found == [TWO, TWO + HOUR, TWO + 2 * HOUR]


def test_catch_up_all_fires_one_however_often_a_minute_is_ticked(world: World) -> None:
    enabled(world, missed="CATCH_UP_ALL")
    now = TWO + 2 * HOUR + HOUR / 2
    assert len(fired(world, now)) == 1
    world.finish_runs()
    assert len(fired(world, now)) == 0


def test_catch_up_all_waits_while_an_earlier_one_lives_and_skips_nothing(world: World) -> None:
    enabled(world, missed="CATCH_UP_ALL")
    assert fired(world, TWO) == [TWO]
    for minute in range(0, 180, 7):
        assert fired(world, TWO + HOUR + minute * MINUTE) == []
    world.finish_runs()
    assert fired(world, TWO + 4 * HOUR) == [TWO + HOUR]
    assert world.ledger("hourly") == [("SUCCESS", TWO, 1), ("QUEUED", TWO + HOUR, 1)]


def test_a_grace_of_its_own_holds(world: World) -> None:
    enabled(world, grace=3000.0)
    assert fired(world, TWO + 50 * MINUTE) == [TWO]
    world.finish_runs()
    assert fired(world, TWO + HOUR + 51 * MINUTE) == []


def test_a_slow_trigger_teaches_a_longer_grace(world: World) -> None:
    world.define(a_schedule())
    for number in range(8):
        world.tick(TWO - 3 * HOUR + number * 10 * MINUTE)
    world.enable()
    assert fired(world, TWO + 19 * MINUTE) == [TWO]


# --- overlap ---


def test_queue_one_fires_behind_the_one_that_runs_and_skips_a_third(world: World) -> None:
    enabled(world, overlap="QUEUE_ONE")
    for number in range(3):
        world.tick(TWO + number * HOUR)
    assert world.ledger("hourly") == [
        ("QUEUED", TWO, 1),
        ("QUEUED", TWO + HOUR, 1),
        ("SKIPPED_OVERLAP", TWO + 2 * HOUR, 1),
    ]
    assert claimable(world) == [TWO]
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(job_run).where(job_run.c.scheduled_for == TWO).values(status="SUCCESS")
        )
    settle(world)
    assert claimable(world) == [TWO + HOUR]


def test_replace_cancels_what_waits_and_asks_what_runs(world: World) -> None:
    enabled(world, overlap="REPLACE")
    world.tick(TWO)
    start_all(world)
    world.tick(TWO + HOUR)
    assert statuses(world) == [(TWO, "RUNNING"), (TWO + HOUR, "QUEUED")]
    first = world.runs()[0]
    assert first.cancel_requested_at == TWO + HOUR
    assert first.reason == "replaced by a newer occurrence"
    assert claimable(world) == []
    world.tick(TWO + 2 * HOUR)
    assert statuses(world) == [
        (TWO, "RUNNING"),
        (TWO + HOUR, "CANCELLED"),
        (TWO + 2 * HOUR, "QUEUED"),
    ]
    assert claimable(world) == []
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(job_run).where(job_run.c.status == "RUNNING").values(status="CANCELLED")
        )
    settle(world)
    assert claimable(world) == [TWO + 2 * HOUR]


def test_replace_of_what_never_started_runs_the_newer_one_at_once(world: World) -> None:
    enabled(world, overlap="REPLACE")
    world.tick(TWO)
    world.tick(TWO + HOUR)
    assert claimable(world) == [TWO + HOUR]
    assert world.ledger("hourly") == [("CANCELLED", TWO, 1), ("QUEUED", TWO + HOUR, 1)]


def test_a_firing_by_hand_replaces_as_well(world: World) -> None:
    enabled(world, overlap="REPLACE")
    world.tick(TWO)
    run_now.run_schedule(world.database, Act(world.now, TESTER), "hourly")
    assert [run.status for run in world.runs()] == ["CANCELLED", "QUEUED"]


def test_allow_runs_side_by_side(world: World) -> None:
    enabled(world, overlap="ALLOW")
    for number in range(3):
        world.tick(TWO + number * HOUR)
    assert claimable(world) == [TWO, TWO + HOUR, TWO + 2 * HOUR]


# --- kinds, bounds, limits ---


def test_an_interval_keeps_its_anchor_over_outages_and_edits_of_words(world: World) -> None:
    anchor = TWO - 30 * DAY
    enabled(world, every=timedelta(minutes=90), anchor=anchor)
    assert fired(world, TWO) == [TWO]
    world.finish_runs()
    world.tick(TWO + 7 * HOUR)
    world.define(a_schedule("hourly", every=timedelta(minutes=90), anchor=anchor, name="Other"))
    assert world.schedule("hourly").next_run_at == TWO + 5 * timedelta(minutes=90)
    assert world.ledger("hourly") == [("SUCCESS", TWO, 1), ("MISSED", TWO + 1.5 * HOUR, 4)]


def test_a_weekly_interval_survives_every_restart(world: World) -> None:
    week = a_schedule("weekly", every=timedelta(weeks=1), anchor=TWO)
    world.define(week)
    world.enable("weekly")
    found = []
    for day in range(22):
        world.define(week)
        found += fired(world, TWO + day * DAY)
        world.finish_runs()
    assert found == [TWO, TWO + 7 * DAY, TWO + 14 * DAY, TWO + 21 * DAY]


def test_a_single_instant_fires_once_and_never_again(world: World) -> None:
    enabled(world, at=TWO)
    assert fired(world, TWO + MINUTE) == [TWO]
    assert world.schedule("hourly").next_run_at is None
    assert fired(world, TWO + DAY) == []


def test_a_single_instant_that_passed_while_off_is_suppressed(world: World) -> None:
    world.define(a_schedule(at=TWO))
    world.now = TWO + DAY
    world.enable()
    assert world.ledger() == [("SUPPRESSED", TWO, 1)]
    assert world.schedule().next_run_at is None


def test_outside_its_bounds_a_schedule_is_silent(world: World) -> None:
    enabled(world, starts_at=TWO + HOUR, ends_at=TWO + 2 * HOUR)
    for number in range(5):
        world.tick(TWO + number * HOUR)
        world.finish_runs()
    assert [at for _, at, _ in world.ledger("hourly")] == [TWO + HOUR, TWO + 2 * HOUR]


def test_a_limited_number_of_runs_counts_what_fired(world: World) -> None:
    enabled(world, max_runs=2)
    world.tick(TWO)
    world.tick(TWO + HOUR)
    world.finish_runs()
    world.tick(TWO + 2 * HOUR)
    world.finish_runs()
    assert world.schedule("hourly").next_run_at is None
    assert world.tick(TWO + 3 * HOUR).due == 0
    assert [outcome for outcome, _, _ in world.ledger("hourly")] == [
        "SUCCESS",
        "SKIPPED_OVERLAP",
        "SUCCESS",
    ]


def test_a_used_up_limit_stays_used_up_when_switched_off_and_on(world: World) -> None:
    enabled(world, max_runs=1)
    world.tick(TWO)
    world.finish_runs()
    world.disable("hourly")
    world.enable("hourly")
    assert fired(world, TWO + HOUR) == []
    assert world.schedule("hourly").next_run_at is None


def test_jitter_moves_a_schedule_to_a_slot_of_its_own(world: World) -> None:
    enabled(world, jitter=600.0)
    (share,) = {schedule.rule().offset_seconds for schedule in world.schedules}
    slot = TWO + timedelta(seconds=share)
    assert world.tick(slot - timedelta(seconds=1)).due == 0
    assert fired(world, slot) == [slot]


# --- the storm brake ---


def storm(world: World, schedules: int, most: int, **parts: Any) -> None:
    """Some schedules of one job that are due at 02:00, and a tick that may make `most` runs."""
    world.settings = world.settings.model_copy(update={"max_runs_per_tick": most})
    world.define(*(a_schedule(f"s{number:02}", **parts) for number in range(schedules)))
    for schedule in world.schedules:
        world.enable(schedule.id)


def test_a_tick_keeps_to_its_run_limit_and_the_next_fires_the_rest(
    world: World,
) -> None:
    storm(world, schedules=5, most=2)
    assert world.tick(TWO).fired_count == 2
    assert world.tick(TWO + MINUTE).fired_count == 2
    assert len({run.schedule_id for run in world.runs()}) == 4


def test_instants_over_the_run_limit_past_grace_are_held(world: World) -> None:
    storm(world, schedules=5, most=1)
    for minute in range(4):
        world.tick(TWO + minute * MINUTE)
    outcomes = [world.ledger(schedule.id)[0][0] for schedule in world.schedules]
    assert sorted(outcomes) == ["HELD", "HELD", "QUEUED", "QUEUED", "QUEUED"]
    assert world.tick(TWO + 4 * MINUTE).due == 0


def test_instants_that_catch_up_are_never_held_and_all_fire(world: World) -> None:
    storm(world, schedules=5, most=2, missed="CATCH_UP")
    counts = [world.tick(TWO + HOUR + minute * MINUTE).fired_count for minute in range(4)]
    assert counts == [2, 2, 1, 0]


def test_a_schedule_of_many_jobs_passes_the_brake_whole(world: World) -> None:
    world.jobs = [a_job("a"), a_job("b"), a_job("c")]
    storm(world, schedules=2, most=2)
    assert world.tick(TWO).runs in (3, 6)


def test_occurrences_and_runs_of_a_storm_agree(world: World) -> None:
    storm(world, schedules=6, most=4)
    for minute in range(5):
        world.tick(TWO + minute * MINUTE)
    o = occurrence.c
    assert sum(row.runs for row in world.rows(sa.select(o.runs))) == len(world.runs())
