"""The kit with which a team tests its own schedules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.factories import a_job, a_schedule
from tick import job
from tick.define.registry import build_registry
from tick.errors import DefinitionsInvalid, Refused
from tick.settings import Settings
from tick.testing import assert_fires, fires, simulate
from tick.ticks.simulation import simulate as simulate_registry

DAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEW_YORK = a_schedule("report", cron="30 2 * * *", timezone="America/New_York")


@job(group="feed")
def refresh_feed() -> None:
    """A job of the team."""


@job(group="feed", depends_on=["refresh-feed"])
def send_feed() -> None:
    """Another one, that waits for the first."""


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


@pytest.mark.parametrize(
    ("parts", "mistake"),
    [
        ({"cron": "0 2 * * *", "every": HOUR}, "says when by cron and every"),
        ({"cron": "61 2 * * *"}, "out of range"),
        ({"timezone": "Mars/Olympus"}, "unknown time zone"),
        ({"at": datetime(2026, 3, 2)}, "at needs a time zone"),
        ({"jitter": HOUR}, "jitter must be a number of seconds"),
    ],
)
def test_a_schedule_that_says_wrongly_when_fires_never_in_silence(
    parts: dict[str, Any], mistake: str
) -> None:
    with pytest.raises(DefinitionsInvalid, match=mistake):
        assert_fires(a_schedule("report", **parts), "2026-03-07", "2026-03-09", [])


def test_no_part_of_the_instants_is_left_out_in_silence() -> None:
    with pytest.raises(ValueError, match="fires more than 10,000 times"):
        fires(a_schedule("often", cron="* * * * *"), "2026-03-01", "2026-04-01")
    with pytest.raises(ValueError, match="has to begin before it ends"):
        assert_fires(NEW_YORK, "2026-03-09", "2026-03-07", [])
    with pytest.raises(ValueError, match=r"name a year from 1970 to 2199"):
        fires(NEW_YORK, datetime(1, 1, 1, tzinfo=UTC), "2026-03-09")


@pytest.mark.parametrize(
    ("start", "end", "how", "mistake"),
    [
        (DAY, DAY, {}, "has to begin before it ends"),
        (datetime(2026, 3, 2), datetime(2026, 3, 3), {}, "needs a time zone"),
        (DAY, DAY + HOUR, {"down": [(DAY + HOUR, DAY)]}, "has to begin before it ends"),
        (DAY, DAY + HOUR, {"tick_every": timedelta(0)}, "more than 0 seconds"),
    ],
)
def test_times_that_make_no_sense_are_refused(
    start: datetime, end: datetime, how: dict[str, Any], mistake: str
) -> None:
    with pytest.raises(Refused, match=mistake):
        simulate([NEW_YORK], [refresh_feed], start, end, **how)


def test_a_function_that_is_no_job_is_named() -> None:
    with pytest.raises(TypeError, match="declare it with @job"):
        simulate([NEW_YORK], [len], DAY, DAY + HOUR)


def test_what_is_simulated_does_not_depend_on_how_fast_it_goes() -> None:
    hourly = a_schedule("hourly", cron="0 * * * *")
    found = simulate_registry(
        build_registry([a_job("refresh-feed")], [hourly]),
        DAY,
        DAY + 3 * HOUR,
        settings=Settings(budget_seconds=1e-9),
    )
    assert [line.outcome for line in found.lines] == ["SUCCESS"] * 3


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


def test_runs_begin_when_what_they_wait_for_has_ended() -> None:
    """Two runs of 40 minutes, one after the other, are still at work an hour later."""

    def outcomes(overlap: str) -> str:
        hourly = a_schedule("hourly", cron="0 * * * *", overlap=overlap)
        times = DAY, DAY + 8 * HOUR
        found = simulate([hourly], [refresh_feed, send_feed], *times, runs_take=HOUR * 2 / 3)
        return " ".join(line.outcome for line in found.lines[:6])

    assert outcomes("SKIP") == " ".join(["SUCCESS", "SKIPPED_OVERLAP"] * 3)
    assert outcomes("QUEUE_ONE") == " ".join(["SUCCESS"] * 5 + ["SKIPPED_OVERLAP"])
    assert outcomes("REPLACE") == " ".join(["CANCELLED"] * 6)


def test_what_replaces_another_runs_to_its_end() -> None:
    twice = a_schedule("twice", cron="0,30 1,4 * * *", overlap="REPLACE")
    found = simulate([twice], [refresh_feed], DAY, DAY + 8 * HOUR, runs_take=HOUR * 2 / 3)
    assert [line.outcome for line in found.lines] == ["CANCELLED", "SUCCESS"] * 2


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
