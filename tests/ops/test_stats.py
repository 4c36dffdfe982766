"""Statistics agree with a brute-force count, in every zone and window."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.engine.histories import History
from tests.support.factories import World, a_job, a_schedule
from tick.ops.reports.statistics import Statistics, Window, gather, spans_of

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")


def statistics(world: World, window: Window = Window.MONTH, **only: str) -> Statistics:
    return gather(world.database, world.now, window=window, **only)


@pytest.mark.parametrize("window", Window)
def test_figures_agree_with_brute_force(world: World, window: Window) -> None:
    history = History(world, seed=11)
    history.go_on(90)
    found = statistics(world, window)
    runs = {key: n for key, n in history.runs.items() if found.start <= key[0] < found.end}
    for job in found.jobs:
        for state, number in (("SUCCESS", job.succeeded), ("FAILED", job.failed)):
            assert number == sum(
                n
                for (_, name, status), n in runs.items()
                if (name, status) == (job.job_name, state)
            )
    instants = {k: n for k, n in history.instants.items() if found.start <= k[0] < found.end}
    for outcome, number in (
        ("FAILED", found.firings.failed),
        ("MISSED", found.firings.missed),
        ("SKIPPED_OVERLAP", found.firings.overlapped),
    ):
        assert number == sum(n for (_, _, state), n in instants.items() if state == outcome)
    assert sum(period.runs.failed for period in found.periods) == found.runs.failed
    assert sum(job.succeeded for job in found.jobs) == found.runs.succeeded


def test_the_last_day_is_told_whatever_the_window(world: World) -> None:
    _one_failure(world)
    world.now += 23 * HOUR
    assert statistics(world).last_day.runs.failed == 1
    world.now += 3 * HOUR
    found = statistics(world)
    assert (found.last_day.runs.failed, found.runs.failed) == (0, 1)


def test_a_window_of_one_job_or_schedule_holds_nothing_else(world: World) -> None:
    history = History(world, seed=3)
    history.go_on(60)
    of_a_job = statistics(world, job_name="mail")
    assert [job.job_name for job in of_a_job.jobs] == ["mail"]
    of_a_schedule = statistics(world, schedule_id="post")
    assert [schedule.schedule_id for schedule in of_a_schedule.schedules] == ["post"]
    assert of_a_schedule.schedules[0].name == "Post"


def test_what_no_tick_has_counted_yet_is_told_where_it_belongs(world: World) -> None:
    History(world, seed=3)
    world.tick(TWO)
    world.finish_runs()
    found = statistics(world, Window.DAY)
    assert [period.start for period in found.periods if period.runs.succeeded] == [TWO]
    of_a_job = statistics(world, Window.DAY, job_name="mail")
    assert [(job.job_name, job.succeeded) for job in of_a_job.jobs] == [("mail", 2)]
    of_a_schedule = statistics(world, Window.DAY, schedule_id="post")
    assert [schedule.schedule_id for schedule in of_a_schedule.schedules] == ["post"]


def test_a_late_firing_is_delayed_and_an_early_one_on_time(world: World) -> None:
    world.define(a_schedule(cron="0 * * * *", grace=3600))
    world.enable()
    for number, late in enumerate((5, 110, 500)):
        world.tick(TWO + number * HOUR + timedelta(seconds=late))
        world.finish_runs()
    found = statistics(world).firings
    assert (found.on_time, found.delayed, found.missed) == (2, 1, 0)
    assert found.on_time_rate == pytest.approx(2 / 3)


def test_time_lost_is_the_time_spent_in_runs_that_failed(world: World) -> None:
    _one_failure(world)
    (job,) = statistics(world).jobs
    assert job.lost_seconds == 0  # it never began
    assert job.success_rate == 0


def test_a_statistic_of_nothing_is_empty(world: World) -> None:
    world.define()
    found = statistics(world)
    assert (found.jobs, found.schedules, found.runs.success_rate) == ((), (), None)
    assert len(found.periods) == 31


def test_days_begin_at_midnight_in_the_zone() -> None:
    spans = spans_of(Window.WEEK, datetime(2026, 3, 31, 23, 30, tzinfo=UTC), BERLIN)
    assert len(spans) == 8
    assert spans[-1].start.astimezone(BERLIN) == datetime(2026, 4, 1, tzinfo=BERLIN)
    assert {span.end - span.start for span in spans} == {24 * HOUR, 23 * HOUR}
    assert spans_of(Window.MONTH, TWO, KOLKATA)[-1].start == TWO.replace(
        day=28, month=2, hour=18, minute=30
    )


def test_the_windows_hold_now_and_as_many_periods_as_they_say() -> None:
    sizes = {window: spans_of(window, TWO, BERLIN) for window in Window}
    assert {window: len(spans) for window, spans in sizes.items()} == {
        Window.DAY: 24,
        Window.WEEK: 8,
        Window.MONTH: 31,
        Window.QUARTER: 13,
    }
    for spans in sizes.values():
        assert spans[-1].start <= TWO < spans[-1].end


def _one_failure(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("mail")])
    world.enable()
    world.tick(TWO)
    world.finish_runs("FAILED")
