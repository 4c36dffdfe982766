"""While the scheduler stands, or a maintenance window lasts, nothing fires; nor afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.ledger.windows import Recurrence, Scope
from tick.engine.schedules.mutes import quiet_in_windows
from tick.errors import InvalidCron, NotFound, Refused
from tick.ops.actions import run_now, windows
from tick.ops.queries.health import read_page_status
from tick.ops.queries.windows import list_windows
from tick.ops.reports.upcoming import list_next
from tick.ops.reports.verify import verify
from tick.ops.reports.why import explain
from tick.policy.windows import Phase
from tick.states import AfterWindow
from tick.store.tables import audit_entry, maintenance_window, occurrence

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def hourly(world: World) -> World:
    """Hourly over one job, enabled at 01:59."""
    world.define(a_schedule("hourly", cron="0 * * * *"), jobs=[a_job("a")])
    world.enable("hourly")
    return world


def stop(world: World, at: datetime, reason: str = "database move") -> bool:
    return windows.stop_scheduler(world.database, Act(at, TESTER, reason=reason))


def start(world: World, at: datetime) -> bool:
    return windows.start_scheduler(world.database, Act(at, TESTER))


def end(world: World, window_id: int, at: datetime) -> bool:
    return windows.end_window(world.database, Act(at, TESTER), window_id)


def listed(world: World, at: datetime) -> list[tuple[datetime, datetime | None, Phase, str | None]]:
    with world.database.read.connect() as connection:
        found = list_windows(connection, at)
    return [(row.starts_at, row.ends_at, row.phase, row.ended_by) for row in found]


def test_a_stopped_scheduler_fires_nothing_and_says_why(hourly: World) -> None:
    assert stop(hourly, TWO - MINUTE / 2)
    assert hourly.tick(TWO).fired == []
    hourly.tick(TWO + HOUR)
    assert hourly.ledger("hourly") == [("BLACKOUT", TWO, 1), ("BLACKOUT", TWO + HOUR, 1)]
    reasons = hourly.rows(sa.select(occurrence.c.reason).distinct())
    assert reasons == [
        ("the scheduler was stopped at 2026-03-01 01:59 UTC by tester: database move",)
    ]


def test_it_goes_on_with_the_first_instant_after_the_start(hourly: World) -> None:
    stop(hourly, TWO - MINUTE)
    assert start(hourly, TWO + 2.5 * HOUR)
    assert hourly.tick(TWO + 2.5 * HOUR).fired == []
    hourly.tick(TWO + 3 * HOUR)
    assert hourly.ledger("hourly") == [
        ("BLACKOUT", TWO, 3),
        ("QUEUED", TWO + 3 * HOUR, 1),
    ]
    assert verify(hourly.database, TWO - HOUR, TWO + 3 * HOUR).ok


def test_instants_due_just_before_the_stop_do_not_fire_after_it(hourly: World) -> None:
    stop(hourly, TWO + MINUTE / 2)
    hourly.tick(TWO + MINUTE)
    start(hourly, TWO + 1.5 * MINUTE)
    hourly.tick(TWO + 1.6 * MINUTE)
    assert hourly.ledger("hourly") == [("BLACKOUT", TWO, 1)]


def test_what_is_queued_goes_on_and_a_person_may_run_anything(hourly: World) -> None:
    hourly.tick(TWO)
    stop(hourly, TWO + MINUTE)
    assert [run.status for run in hourly.runs()] == ["QUEUED"]
    hourly.finish_runs()
    run_now.run_schedule(hourly.database, Act(TWO + HOUR, TESTER), "hourly")
    hourly.finish_runs()
    hourly.tick(TWO + HOUR)
    at = TWO + HOUR
    run_now.run_slots(hourly.database, Act(at + MINUTE, TESTER), "hourly", [at])
    assert ("QUEUED", at, 1) in hourly.ledger("hourly")


def test_a_planned_window_holds_without_anybody_near(hourly: World) -> None:
    hourly.plan_window(TWO + HOUR, TWO + 2 * HOUR)
    for hour in range(3):
        hourly.tick(TWO + hour * HOUR)
        hourly.finish_runs()
    assert [outcome for outcome, _, _ in hourly.ledger("hourly")] == [
        "SUCCESS",
        "BLACKOUT",
        "SUCCESS",
    ]


def test_no_tick_came_while_it_lasted(hourly: World) -> None:
    hourly.plan_window(TWO - MINUTE / 2, TWO + 3 * HOUR)
    hourly.tick(TWO + 3 * HOUR)
    assert hourly.ledger("hourly") == [("BLACKOUT", TWO, 3), ("QUEUED", TWO + 3 * HOUR, 1)]


def test_a_window_may_end_early_and_one_to_come_be_called_off(hourly: World) -> None:
    lasting = hourly.plan_window(TWO, TWO + 5 * HOUR)
    coming = hourly.plan_window(TWO + 7 * HOUR, TWO + 8 * HOUR)
    assert end(hourly, lasting, TWO + 1.5 * HOUR)
    assert end(hourly, coming, TWO + 1.5 * HOUR)
    assert not end(hourly, coming, TWO + 2 * HOUR)
    assert listed(hourly, TWO + 2 * HOUR) == [
        (TWO + 7 * HOUR, TWO + 7 * HOUR, Phase.OVER, "tester"),
        (TWO, TWO + 1.5 * HOUR, Phase.OVER, "tester"),
    ]
    hourly.tick(TWO + 2 * HOUR)
    assert hourly.ledger("hourly")[-1] == ("QUEUED", TWO + 2 * HOUR, 1)


def test_a_catch_up_waits_until_the_scheduler_starts(world: World) -> None:
    world.define(a_schedule("daily", missed="CATCH_UP"), jobs=[a_job("a")])
    world.enable()
    stop(world, TWO + MINUTE)
    for hour in range(1, 4):
        assert world.tick(TWO + hour * HOUR).fired == []
    start(world, TWO + 3.5 * HOUR)
    world.tick(TWO + 4 * HOUR)
    assert world.ledger() == [("QUEUED", TWO, 1)]


def test_a_deploy_meanwhile_fires_nothing(hourly: World) -> None:
    stop(hourly, TWO - MINUTE / 2)
    hourly.now = TWO + MINUTE
    hourly.define(a_schedule("hourly", cron="30 * * * *"))
    assert hourly.ledger("hourly") == [("BLACKOUT", TWO, 1)]


def test_the_same_window_asked_for_again_is_the_one_that_is_there(hourly: World) -> None:
    window_id = hourly.plan_window(TWO, TWO + HOUR)
    assert hourly.plan_window(TWO, TWO + HOUR) == window_id
    assert end(hourly, window_id, TWO + MINUTE)
    a = audit_entry.c
    entries = hourly.rows(sa.select(a.action, a.subject).order_by(a.id))
    assert entries[-2:] == [("window.add", f"{window_id}"), ("window.end", f"{window_id}")]


def test_starting_the_scheduler_ends_no_window_that_was_planned(hourly: World) -> None:
    hourly.plan_window(TWO, TWO + 5 * HOUR)
    assert stop(hourly, TWO)
    assert start(hourly, TWO + HOUR)
    assert (TWO, TWO + 5 * HOUR, Phase.LASTS, None) in listed(hourly, TWO + HOUR)


def test_stopping_and_starting_twice_changes_nothing(hourly: World) -> None:
    assert stop(hourly, TWO)
    assert not stop(hourly, TWO + MINUTE)
    assert start(hourly, TWO + MINUTE)
    assert not start(hourly, TWO + MINUTE)
    actions = hourly.rows(
        sa.select(audit_entry.c.action, audit_entry.c.reason)
        .where(audit_entry.c.subject == "scheduler")
        .order_by(audit_entry.c.id)
    )
    assert actions == [("scheduler.stop", "database move"), ("scheduler.start", None)]


def test_a_window_that_is_over_already_is_refused(hourly: World) -> None:
    with pytest.raises(Refused, match="has passed"):
        windows.add_window(
            hourly.database,
            Act(TWO + MINUTE, TESTER, reason="too late"),
            starts_at=TWO,
            ends_at=TWO + MINUTE / 2,
        )


def test_the_standstill_is_told(hourly: World) -> None:
    def now_standing(at: datetime) -> str | None:
        with hourly.database.read.connect() as connection:
            found = read_page_status(connection, at, dead_after_seconds=90).active_window
        return found and found.reason

    assert now_standing(TWO) is None
    stop(hourly, TWO)
    assert now_standing(TWO) == "database move"
    start(hourly, TWO + MINUTE)
    assert now_standing(TWO + MINUTE) is None


@pytest.mark.parametrize(
    ("starts", "ends", "told"),
    [
        (TWO + HOUR, TWO, "ends before it begins"),
        (TWO - HOUR, TWO + HOUR, "has passed"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    hourly: World, starts: datetime, ends: datetime, told: str
) -> None:
    hourly.now = TWO
    with pytest.raises(Refused, match=told):
        hourly.plan_window(starts, ends)


def test_a_stop_without_a_reason_is_refused(hourly: World) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        stop(hourly, TWO, reason="  ")


def test_an_unknown_window_is_not_found(hourly: World) -> None:
    with pytest.raises(NotFound, match="no window 7"):
        end(hourly, 7, TWO)


SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)
NIGHTLY = Recurrence("0 2 * * *", "Europe/Berlin", 2 * HOUR)
"""From 01:00 to 03:00 UTC, until the clocks change."""


def recurring(world: World, recurs: Recurrence = NIGHTLY, **given: object) -> int:
    act = Act(world.now, TESTER, reason="backups")
    times = {"starts_at": None, "ends_at": None} | given
    return windows.add_window(world.database, act, recurs=recurs, **times)


@pytest.fixture
def two(world: World) -> World:
    """Two schedules that fire each hour, enabled at midnight."""
    world.now = SUNDAY
    jobs = [a_job("a")]
    world.define(*(a_schedule(id, cron="30 * * * *") for id in ("report", "other")), jobs=jobs)
    world.enable("report")
    world.enable("other")
    return world


def fired(world: World, schedule_id: str) -> list[bool]:
    """Of each hour whether the schedule fired."""
    return [outcome != "BLACKOUT" for outcome, _, _ in world.ledger(schedule_id)]


def tick_hourly(world: World, hours: int) -> None:
    for hour in range(hours):
        world.tick(SUNDAY + (hour + 0.5) * HOUR)
        world.finish_runs()


def test_a_window_of_one_schedule_leaves_the_others_alone(two: World) -> None:
    two.plan_window(SUNDAY + HOUR, SUNDAY + 2 * HOUR, "report")
    tick_hourly(two, 3)
    assert fired(two, "report") == [True, False, True]
    assert fired(two, "other") == [True, True, True]
    (reason,) = two.rows(sa.select(occurrence.c.reason).where(occurrence.c.outcome == "BLACKOUT"))
    assert reason == (
        "maintenance window 1 of report, 2026-03-01 01:00 to 2026-03-01 02:00 UTC, by tester: "
        "new disks",
    )
    assert verify(two.database, SUNDAY, SUNDAY + 3 * HOUR).ok


def test_a_recurring_window_closes_its_times_until_it_is_ended(two: World) -> None:
    window_id = recurring(two)
    tick_hourly(two, 26)
    assert end(two, window_id, SUNDAY + 26 * HOUR)
    for hour in (26, 27):
        two.tick(SUNDAY + (hour + 0.5) * HOUR)
        two.finish_runs()
    closed = [hour for hour, each in enumerate(fired(two, "other")) if not each]
    assert closed == [1, 2, 25]
    assert listed(two, SUNDAY + 27 * HOUR) == [(SUNDAY, SUNDAY + 26 * HOUR, Phase.OVER, "tester")]
    assert verify(two.database, SUNDAY, SUNDAY + 28 * HOUR).ok


def test_a_late_tick_splits_what_was_due_by_the_times_of_the_window(two: World) -> None:
    recurring(two, scope=Scope("report"))
    two.tick(SUNDAY + 26.6 * HOUR)
    assert [(outcome, count) for outcome, _, count in two.ledger("report")] == [
        *[("MISSED", 1), ("BLACKOUT", 2), ("MISSED", 22), ("BLACKOUT", 2)],
    ]
    assert verify(two.database, SUNDAY, SUNDAY + 26.6 * HOUR).ok


def test_a_window_of_one_schedule_is_no_standstill(two: World) -> None:
    two.plan_window(SUNDAY, SUNDAY + HOUR, "report")
    recurring(two)
    with two.database.read.connect() as connection:
        stands = [
            read_page_status(connection, SUNDAY + hours * HOUR, 90).active_window is not None
            for hours in (0.5, 1.5, 3, 25)
        ]
        quiet = [
            str(quiet_in_windows(connection, SUNDAY + hours * HOUR)) for hours in (0.5, 1.5, 3, 25)
        ]
    assert stands == [False, True, False, True]
    assert [quiet[0][:5], *quiet[1:]] == ["alert", "true", "None", "true"]


def test_the_release_before_sees_nothing_to_keep_from_firing(two: World) -> None:
    """It would let nothing at all fire: to that one, such a window is over before it began."""
    two.plan_window(SUNDAY + HOUR, SUNDAY + 2 * HOUR, "report")
    recurring(two)
    w = maintenance_window.c
    assert two.rows(sa.select(sa.func.count()).where(w.ends_at != w.starts_at)) == [(0,)]


def test_the_same_recurring_window_asked_for_again_is_the_one_that_is_there(two: World) -> None:
    window_id = recurring(two)
    two.now += MINUTE
    assert recurring(two) == window_id
    assert recurring(two, scope=Scope("report")) != window_id
    end(two, window_id, SUNDAY + HOUR)
    two.now = SUNDAY + 2 * HOUR
    assert recurring(two) not in (window_id, window_id + 1)


@pytest.mark.parametrize(
    ("recurs", "told"),
    [
        (Recurrence("0 * * * *", "UTC", HOUR), "begins again before it ends"),
        (Recurrence("0 2 * * *", "UTC", 0 * HOUR), "begins again before it ends"),
    ],
)
def test_a_recurring_window_that_leaves_nothing_open_is_refused(
    two: World, recurs: Recurrence, told: str
) -> None:
    with pytest.raises(Refused, match=told):
        recurring(two, recurs)


def test_a_window_of_no_schedule_or_no_time_is_refused(two: World) -> None:
    with pytest.raises(NotFound, match="No schedule is called 'nobody'"):
        recurring(two, scope=Scope("nobody"))
    with pytest.raises(InvalidCron, match="Europe/Berlni"):
        recurring(two, Recurrence("0 2 * * *", "Europe/Berlni", HOUR))
    act = Act(two.now, TESTER, reason="x")
    with pytest.raises(Refused, match="from when to when"):
        windows.add_window(two.database, act, starts_at=two.now, ends_at=None)


def test_a_renamed_schedule_keeps_its_windows(two: World) -> None:
    two.plan_window(SUNDAY + HOUR, SUNDAY + 2 * HOUR, "report")
    two.define(
        a_schedule("summary", cron="30 * * * *", renamed_from="report"),
        a_schedule("other", cron="30 * * * *"),
    )
    two.tick(SUNDAY + 1.5 * HOUR)
    assert fired(two, "summary")[-1] is False
    assert fired(two, "other")[-1] is True


def held_rows(world: World, schedule_id: str) -> list[tuple[str, datetime | None, str | None]]:
    """Outcome, until when it was held and by what, of each row of a schedule."""
    o = occurrence.c
    columns = (o.outcome, o.held_until, o.held_by)
    query = sa.select(*columns).where(o.schedule_id == schedule_id).order_by(o.scheduled_for)
    return [tuple(row) for row in world.rows(query)]


def plan_holding(world: World, hours: float, schedule_id: str = "report") -> int:
    act = Act(world.now, TESTER, reason="new disks")
    times = {"starts_at": SUNDAY, "ends_at": SUNDAY + hours * HOUR}
    given = {"scope": Scope(schedule_id), "then": AfterWindow.RUN}
    return windows.add_window(world.database, act, **times, **given)


def test_what_is_due_in_a_window_runs_after_it_once(two: World) -> None:
    plan_holding(two, 3)
    tick_hourly(two, 3)
    assert two.ledger("report") == []
    assert fired(two, "other") == [True, True, True]
    result = two.tick(SUNDAY + 3 * HOUR)
    assert result.more is False
    end = SUNDAY + 3 * HOUR
    assert held_rows(two, "report") == [("COALESCED", end, "WINDOW"), ("QUEUED", end, "WINDOW")]
    assert [at for _, at, _ in two.ledger("report")] == [SUNDAY + HOUR / 2, SUNDAY + 2.5 * HOUR]
    assert held_rows(two, "other") == [("SUCCESS", None, None)] * 3
    assert verify(two.database, SUNDAY, end).ok


def test_while_a_window_holds_an_instant_why_says_until_when(two: World) -> None:
    plan_holding(two, 3)
    two.tick(SUNDAY + HOUR)

    def said(hours: float, now: float) -> str:
        at = SUNDAY + hours * HOUR
        with two.database.read.connect() as connection:
            return explain(connection, "report", at, SUNDAY + now * HOUR).sentence

    words = (
        "held until 2026-03-01 03:00 UTC by maintenance window 1 of report, 2026-03-01 00:00 to "
        "2026-03-01 03:00 UTC, by tester: new disks."
    )
    assert said(0.5, 1).endswith(f"is due, and {words}")
    assert said(2.5, 1).endswith(f"is still to come, and will be {words}")
    assert "the newer instant 2026-03-01 02:30 UTC stands for it" in said(1.5, 1)
    with two.database.read.connect() as connection:
        coming = list_next(connection, "report", SUNDAY + HOUR, 3)
    assert [(each.fires, each.held_until) for each in coming] == [
        *[(False, None), (True, SUNDAY + 3 * HOUR), (True, None)],
    ]
    two.tick(SUNDAY + 3 * HOUR)
    assert "fired" in said(2.5, 3)


def test_a_window_that_holds_and_ends_early_lets_its_instants_go(two: World) -> None:
    window_id = plan_holding(two, 24)
    two.tick(SUNDAY + HOUR)
    end(two, window_id, SUNDAY + 1.1 * HOUR)
    two.tick(SUNDAY + 1.1 * HOUR)
    assert held_rows(two, "report") == [("QUEUED", SUNDAY + 1.1 * HOUR, "WINDOW")]


def test_a_recurring_window_may_hold(two: World) -> None:
    recurring(two, then=AfterWindow.RUN)
    for hour in range(8):
        two.tick(SUNDAY + hour / 2 * HOUR)
        two.finish_runs()
    assert [outcome for outcome, _, _ in two.ledger("report")] == [
        *["SUCCESS", "COALESCED", "SUCCESS", "SUCCESS"],
    ]
    assert verify(two.database, SUNDAY, SUNDAY + 4 * HOUR).ok


def test_a_window_that_holds_is_none_to_the_release_before(two: World) -> None:
    plan_holding(two, 3)
    w = maintenance_window.c
    assert two.rows(sa.select(w.run_after, w.starts_at == w.ends_at)) == [(True, True)]
