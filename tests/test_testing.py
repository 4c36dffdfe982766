"""The kit with which a team tests its own schedules."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.factories import a_schedule
from tick import job
from tick.testing import assert_fires, fires, simulate

DAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEW_YORK = a_schedule("report", cron="30 2 * * *", timezone="America/New_York")


@job(group="feed")
def refresh_feed() -> None:
    """A job of the team."""


def test_wall_times_are_those_of_the_schedules_zone() -> None:
    found = fires(NEW_YORK, "2026-03-07", "2026-03-09")
    assert [at.isoformat() for at in found] == [
        "2026-03-07T02:30:00-05:00",
        "2026-03-08T03:00:00-04:00",
    ]


def test_the_expected_instants_pass() -> None:
    assert_fires(NEW_YORK, "2026-03-07", "2026-03-09", ["2026-03-07 02:30", "2026-03-08 03:00"])


def test_the_difference_is_told() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_fires(NEW_YORK, "2026-03-07", "2026-03-09", ["2026-03-07 02:30", "2026-03-09 02:30"])
    assert str(caught.value).splitlines() == [
        "report:",
        "  fires, and is not expected: 2026-03-08 03:00:00-04:00",
        "  does not fire: 2026-03-09 02:30:00-04:00",
    ]


def test_an_outage_is_simulated_through_the_real_tick() -> None:
    found = simulate(
        [a_schedule("hourly", cron="0 * * * *")],
        [refresh_feed],
        DAY,
        DAY + 12 * HOUR,
        down=[(DAY + 2.5 * HOUR, DAY + 6.5 * HOUR)],
    )
    assert [(line.outcome, line.scheduled_for.hour, line.count) for line in found.lines] == [
        ("SUCCESS", 1, 1),
        ("SUCCESS", 2, 1),
        ("MISSED", 3, 4),
        *[("SUCCESS", hour, 1) for hour in range(7, 13)],
    ]
    assert found.verified.ok


def test_long_runs_show_what_the_overlap_policy_does() -> None:
    found = simulate(
        [a_schedule("hourly", cron="0 * * * *")],
        [refresh_feed],
        DAY,
        DAY + 4.9 * HOUR,
        runs_take=1.5 * HOUR,
    )
    assert [line.outcome for line in found.lines] == [
        "SUCCESS",
        "SKIPPED_OVERLAP",
        "SUCCESS",
        "SKIPPED_OVERLAP",
    ]


def test_rare_ticks_are_learned_as_in_life() -> None:
    found = simulate(
        [a_schedule("often", cron="*/5 * * * *")],
        [refresh_feed],
        DAY,
        DAY + HOUR,
        tick_every=timedelta(minutes=20),
    )
    assert {line.outcome for line in found.lines} == {"SUCCESS", "COALESCED"}
    assert found.ticks == 3
    assert found.as_dict()["verified"]["ok"] is True


def test_catching_up_goes_on_until_all_is_caught_up() -> None:
    found = simulate(
        [a_schedule("hourly", cron="0 * * * *", missed="CATCH_UP_ALL")],
        [refresh_feed],
        DAY,
        DAY + 6 * HOUR,
        down=[(DAY, DAY + 4.5 * HOUR)],
    )
    assert [line.outcome for line in found.lines] == ["SUCCESS"] * 6
    assert found.lines[0].reason == "caught up after a missed instant"


def test_a_maintenance_window_is_simulated_too() -> None:
    found = simulate(
        [a_schedule("hourly", cron="0 * * * *"), a_schedule("late", missed="CATCH_UP")],
        [refresh_feed],
        DAY,
        DAY + 4 * HOUR,
        windows=[(DAY + 1.5 * HOUR, DAY + 3.5 * HOUR)],
    )
    assert [(line.schedule_id, line.outcome, line.scheduled_for.hour) for line in found.lines] == [
        ("hourly", "SUCCESS", 1),
        ("hourly", "BLACKOUT", 2),
        ("late", "BLACKOUT", 2),
        ("hourly", "BLACKOUT", 3),
        ("hourly", "SUCCESS", 4),
    ]
    assert found.verified.ok


def test_what_is_replaced_is_cancelled_and_the_newer_one_runs() -> None:
    found = simulate(
        [a_schedule("hourly", cron="0 * * * *", overlap="REPLACE")],
        [refresh_feed],
        DAY,
        DAY + 4 * HOUR,
        runs_take=1.5 * HOUR,
    )
    assert [line.outcome for line in found.lines] == ["CANCELLED"] * 3 + ["QUEUED"]
