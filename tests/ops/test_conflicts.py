"""The conflicts of the coming week: usual lengths against the slots of workers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule, a_worker
from tests.support.plans import recorded
from tick.ops.queries import demand
from tick.ops.reports.conflicts import Conflicts, read_conflicts
from tick.settings import Settings
from tick.store.tables import job_run, job_schedule, run_hour, schedule_version, worker_instance

# A Sunday.
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def conflicts(world: World, **how: Any) -> Conflicts:
    with world.database.read.connect() as connection:
        return read_conflicts(connection, world.runtime.jobs, world.settings, world.now, **how)


def ran(world: World, job: str, bucket: int, *, ago: timedelta = DAY) -> None:
    """The job has run nine times, each as long as a bucket of the statistics says."""
    hour = world.now.replace(minute=0) - ago
    values = {"hour": hour, "job_name": job, "succeeded": 9, f"took_{bucket}": 9}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(run_hour).values(**values))


def works(world: World, id: str, **abilities: Any) -> None:
    with world.database.write.begin() as connection:
        row = a_worker(world.now, id=id, abilities=abilities)
        connection.execute(sa.insert(worker_instance).values(**row))


def single(id: str, job: str, cron: str, **parts: Any) -> Any:
    return a_schedule(id, mode="SINGLE_JOB", job=job, cron=cron, **parts)


@pytest.fixture
def nights(world: World) -> World:
    """Two schedules that meet at 02:00, of jobs that take 10 minutes at most."""
    world.now = NOON
    jobs = [a_job("load", timeout_seconds=600), a_job("mail", timeout_seconds=600)]
    pair = single("load", "load", "0 2 * * *"), single("mail", "mail", "0 2 * * *")
    world.define(*pair, jobs=jobs)
    for schedule in world.schedules:
        world.enable(schedule.id)
    return world


def test_a_peak_names_who_meets_how_long_the_last_waits_and_where_to_move(nights: World) -> None:
    found = conflicts(nights, slots=1)
    (conflict,) = found.conflicts
    assert (conflict.schedules, conflict.times) == (("load", "mail"), 7)
    assert (conflict.wanted, conflict.slots, conflict.wait_seconds) == (2, 1, 600)
    assert conflict.first_at == NOON + 14 * HOUR
    assert conflict.free_slot is not None
    assert conflict.free_slot.words == "move load to 02:10, 10 minutes later"


def test_moved_as_advised_they_meet_no_more(nights: World) -> None:
    moved = single("load", "load", "10 2 * * *")
    nights.define(moved, nights.schedules[1])
    assert conflicts(nights, slots=1).conflicts == ()


def test_the_advice_is_on_the_clock_of_the_schedule(nights: World) -> None:
    there = {"timezone": "Asia/Tokyo"}
    nights.define(*(single(name, name, "0 2 * * *", **there) for name in ("load", "mail")))
    (conflict,) = conflicts(nights, slots=1).conflicts
    assert conflict.first_at == NOON + 5 * HOUR
    assert conflict.free_slot is not None and conflict.free_slot.local_time == "02:10"


def test_hours_are_those_of_the_zone(nights: World) -> None:
    (load,) = conflicts(nights, slots=1, timezone="Asia/Kolkata").loads
    over = [(hour.weekday, hour.hour) for hour in load.hours if hour.is_over]
    assert over == [(day, 7) for day in range(7)]  # 02:00 UTC is 07:30 there
    assert {hour.quarters for hour in load.hours if hour.is_over} == {(0, 0, 2, 0)}
    assert len(load.hours) == 168


def test_a_week_with_a_clock_change_has_one_hour_less(nights: World) -> None:
    nights.now = datetime(2026, 3, 26, 12, tzinfo=UTC)
    (load,) = conflicts(nights, slots=1, timezone="Europe/Berlin").loads
    hours = {(hour.weekday, hour.hour) for hour in load.hours}
    assert (6, 2) not in hours and len(hours) == 167


def test_statistics_come_before_timeout_and_default(nights: World) -> None:
    jobs = [*nights.jobs, a_job("new")]
    nights.define(*nights.schedules, single("new", "new", "0 5 * * *"), jobs=jobs)
    nights.enable("new")
    ran(nights, "load", 3, ago=20 * DAY)
    found = conflicts(nights)
    assert (found.by_timeout, found.by_default) == (("mail",), ("new",))
    ran(nights, "mail", 3, ago=31 * DAY)
    assert conflicts(nights).by_timeout == ("mail",)


def test_slots_are_those_of_the_workers_that_live(nights: World) -> None:
    assert (conflicts(nights).slots_from, conflicts(nights).slots) == (
        "assumed",
        Settings().worker_processes,
    )
    works(nights, "one", queues=None, slots=3)
    works(nights, "two", queues=None, slots=2)
    found = conflicts(nights)
    assert (found.slots_from, found.slots, found.conflicts) == ("workers", 5, ())
    assert conflicts(nights, slots=1).slots_from == "given"


def test_a_queue_with_fewer_slots_is_judged_by_itself(nights: World) -> None:
    jobs = [a_job(name, timeout_seconds=600, queue="media") for name in ("load", "mail")]
    nights.define(*nights.schedules, jobs=jobs)
    works(nights, "all", queues=["default"], slots=8)
    works(nights, "media", queues=["media"], slots=1)
    found = conflicts(nights)
    assert [(load.queue, load.slots) for load in found.loads] == [(None, 9), ("media", 1)]
    assert [conflict.queue for conflict in found.conflicts] == ["media"]


def test_a_limit_of_a_queue_counts_as_its_slots(nights: World) -> None:
    nights.settings = Settings(queue_limits={"default": 1})
    works(nights, "all", queues=None, slots=8)
    assert [conflict.queue for conflict in conflicts(nights).conflicts] == ["default"]


def test_a_queue_that_nobody_serves_is_told_and_no_peak(nights: World) -> None:
    works(nights, "media", queues=["media"], slots=1)
    found = conflicts(nights)
    assert found.unserved_queues == ("default",)


def test_what_is_off_paused_or_in_a_window_asks_for_nothing(nights: World) -> None:
    nights.disable("load")
    assert conflicts(nights, slots=1).conflicts == ()
    nights.enable("load")
    nights.plan_window(NOON, NOON + 3 * DAY, "load")
    assert [conflict.times for conflict in conflicts(nights, slots=1).conflicts] == [4]


def test_all_jobs_against_its_groups_is_one_line(nights: World) -> None:
    everything = a_schedule("everything", cron="0 * * * *", overlap="ALLOW")
    nights.define(*nights.schedules, everything)
    nights.enable("everything")
    found = conflicts(nights, slots=2)
    assert [conflict.with_all_jobs for conflict in found.conflicts] == [("everything",)]
    whole = [shared for shared in found.shared_jobs if shared.runs_all_jobs]
    assert [(shared.schedules, shared.times) for shared in whole] == [
        (("everything", "load", "mail"), 7)
    ]


def test_a_schedule_that_takes_longer_than_its_interval_is_told(nights: World) -> None:
    nights.define(single("load", "load", "*/5 * * * *"))
    (found,) = conflicts(nights, slots=1).too_long
    assert (found.schedule_id, found.usual_seconds) == ("load", 600)
    assert found.left_out * 2 == found.instants or found.left_out * 2 + 1 == found.instants


def test_a_rule_that_cannot_be_read_is_left_to_the_tick(nights: World) -> None:
    with nights.database.write.begin() as connection:
        broken = sa.update(schedule_version).where(schedule_version.c.schedule_id == "load")
        connection.execute(broken.values(rule='{"kind": "CRON"}'))
    assert conflicts(nights, slots=1).conflicts == ()


def test_what_fires_too_often_is_left_out_by_name(
    nights: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demand, "MOST_RUNS", 10)
    assert conflicts(nights, slots=1).left_out == ("mail",)


def test_a_thousand_schedules_take_as_many_statements_as_two(nights: World) -> None:
    with recorded(nights.database) as few:
        conflicts(nights, slots=1)
    jobs = [a_job(f"job-{number}") for number in range(1000)]
    times = [f"{number % 60} {number % 24} * * *" for number in range(1000)]
    nights.define(*(single(f"s{n}", f"job-{n}", at) for n, at in enumerate(times)), jobs=jobs)
    with nights.database.write.begin() as connection:
        connection.execute(sa.update(job_schedule).values(enabled=True))
    with recorded(nights.database) as many:
        found = conflicts(nights, slots=2)
    assert len(many) == len(few)
    assert (len(found.conflicts), found.left_out) == (50, ())
    assert found.more_conflicts > 0


def test_it_writes_nothing(nights: World) -> None:
    conflicts(nights)
    assert nights.rows(sa.select(job_run)) == []
