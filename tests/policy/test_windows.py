"""What a maintenance window does to the instants that are due."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.policy.rules import daily
from tick.policy.ahead import cut_at_limit
from tick.policy.closed_times import count_firing
from tick.policy.holds import Hold
from tick.policy.planner import Cursor, OverlapDecision, Plan, plan, throttle
from tick.policy.windows import (
    Phase,
    RecurringWindow,
    Window,
    covering,
    of_schedule,
    split_by_windows,
)
from tick.states import HeldBy, MissedPolicy

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def a_window(starts_at: datetime, ends_at: datetime | None = None, id: int = 1) -> Window:
    return Window(id, starts_at, ends_at, "new disks", "anna")


def planned(
    now: datetime,
    *windows: Window,
    since: datetime = TWO,
    cron: str = "0 * * * *",
    **rule: object,
) -> Plan:
    return plan(daily(cron=cron, **rule), Cursor(since), now, 60.0, windows)


def not_fired(found: Plan) -> list[tuple[str, int, int]]:
    """(outcome, hour of the first instant, how many)."""
    return [(entry.outcome, entry.first.hour, entry.count) for entry in found.not_fired]


def test_an_instant_in_a_window_does_not_fire_and_says_whose_window_it_was() -> None:
    found = planned(TWO + MINUTE, a_window(TWO - HOUR, TWO + HOUR))
    assert (found.fire, found.decided_to, found.next_run_at) == (None, TWO, TWO + HOUR)
    assert not_fired(found) == [("BLACKOUT", 2, 1)]
    assert found.not_fired[0].reason == (
        "maintenance window 1, 2026-03-01 01:00 to 2026-03-01 03:00 UTC, by anna: new disks"
    )


def test_the_first_instant_is_inside_and_the_last_is_not() -> None:
    window = a_window(TWO, TWO + HOUR)
    assert planned(TWO, window).fire is None
    assert planned(TWO + HOUR, window, since=TWO + HOUR).fire == TWO + HOUR


def test_instants_in_a_window_do_not_fire_after_it() -> None:
    """Also when no tick came while it lasted, and whatever the policy on missed instants."""
    for policy in MissedPolicy:
        found = planned(TWO + 3.5 * HOUR, a_window(TWO - MINUTE, TWO + 3.2 * HOUR), missed=policy)
        assert (found.fire, not_fired(found)) == (None, [("BLACKOUT", 2, 4)])


def test_an_outage_around_a_window_is_told_apart_from_it() -> None:
    found = planned(TWO + 5 * HOUR + MINUTE, a_window(TWO + HOUR, TWO + 3 * HOUR))
    assert found.fire == TWO + 5 * HOUR
    assert not_fired(found) == [("MISSED", 2, 1), ("BLACKOUT", 3, 2), ("MISSED", 5, 2)]


def test_instants_behind_the_one_that_fires_are_decided_with_it() -> None:
    window = a_window(TWO + HOUR, TWO + 2.2 * HOUR)
    found = planned(TWO + 2.5 * HOUR, window, missed=MissedPolicy.CATCH_UP)
    assert (found.fire, found.decided_to) == (TWO, TWO + 2 * HOUR)
    assert not_fired(found) == [("BLACKOUT", 3, 2)]


def test_while_it_lasts_nothing_fires_that_was_due_before() -> None:
    found = planned(TWO + MINUTE, a_window(TWO + MINUTE / 2))
    assert (found.fire, not_fired(found)) == (None, [("BLACKOUT", 2, 1)])
    assert found.not_fired[0].reason == (
        "no tick came before it began: "
        "the scheduler was stopped at 2026-03-01 02:00 UTC by anna: new disks"
    )


@pytest.mark.parametrize("policy", [MissedPolicy.CATCH_UP, MissedPolicy.CATCH_UP_ALL])
def test_what_may_be_late_waits_for_the_end_of_the_window(policy: MissedPolicy) -> None:
    window = a_window(TWO + MINUTE / 2, TWO + 2.5 * HOUR)
    waiting = planned(TWO + MINUTE, window, missed=policy)
    assert (waiting.fire, waiting.not_fired, waiting.next_run_at) == (None, (), TWO)
    after = planned(TWO + 2.6 * HOUR, window, missed=policy)
    assert after.fire == TWO


def test_catching_up_counts_only_what_was_allowed_to_fire() -> None:
    window = a_window(TWO + HOUR, TWO + 8 * HOUR)
    found = planned(TWO + 9.5 * HOUR, window, missed=MissedPolicy.CATCH_UP_ALL, max_catch_up_runs=2)
    assert (found.fire, not_fired(found)) == (
        TWO + 8 * HOUR,
        [("MISSED", 2, 1), ("BLACKOUT", 3, 7)],
    )


def test_a_requested_instant_fires_inside_a_window() -> None:
    cursor = Cursor(TWO, requested_instant=TWO)
    over = a_window(TWO - HOUR, TWO + HOUR)
    found = plan(daily(cron="0 2 * * *"), cursor, TWO + 5 * HOUR, 60.0, [over])
    assert (found.fire, found.verdict) == (TWO, OverlapDecision.FIRE)
    lasting = a_window(TWO - HOUR)
    found = plan(daily(cron="0 2 * * *"), cursor, TWO + 5 * HOUR, 60.0, [lasting])
    assert (found.fire, found.not_fired, found.next_run_at) == (None, (), TWO)


def cuts(windows: Sequence[Window], hours: float) -> list[tuple[float, float, int | None]]:
    """The segments of some hours from two on: ends as hours after two, and the window's id."""
    return [
        (
            round((segment.after - TWO) / HOUR, 3),
            round((segment.until - TWO) / HOUR, 3),
            segment.window and segment.window.id,
        )
        for segment in split_by_windows(windows, TWO, TWO + hours * HOUR)
    ]


def test_a_time_is_cut_where_windows_begin_and_end() -> None:
    first = a_window(TWO + HOUR, TWO + 3 * HOUR, id=1)
    overlapping = a_window(TWO + 2 * HOUR, TWO + 4 * HOUR, id=2)
    inside = a_window(TWO + 2 * HOUR, TWO + 2.5 * HOUR, id=3)
    assert cuts([overlapping, inside, first], 5) == [
        (0, 1, None),
        (1, 3, 1),
        (3, 4, 2),
        (4, 5, None),
    ]
    assert cuts([a_window(TWO - HOUR)], 5) == [(0, 5, 1)]
    assert cuts([a_window(TWO + 6 * HOUR)], 5) == [(0, 5, None)]


def test_of_several_windows_the_one_that_began_first_is_named() -> None:
    windows = [a_window(TWO, TWO + HOUR, id=2), a_window(TWO - HOUR, id=1)]
    found = covering(windows, TWO + MINUTE)
    assert found is not None
    assert found.id == 1
    assert covering(windows, TWO - 2 * HOUR) is None


def test_one_that_was_called_off_is_over_and_covers_nothing() -> None:
    called_off = a_window(TWO, TWO)
    assert called_off.phase(TWO - HOUR) is Phase.OVER
    assert not called_off.covers(TWO)
    assert a_window(TWO).phase(TWO - HOUR) is Phase.TO_COME


def sundays(
    cron: str = "0 2 * * 0",
    hours: float = 2,
    *,
    timezone: str = "Europe/Berlin",
    starts_at: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    ends_at: datetime = datetime(2200, 1, 1, tzinfo=UTC),
) -> RecurringWindow:
    """Sundays from 02:00 to 04:00 in Berlin, unless said otherwise."""
    length = timedelta(hours=hours)
    return RecurringWindow(
        9, starts_at, ends_at, "backups", "anna", cron, timezone, length, "report"
    )


def times(window: RecurringWindow, since: datetime, until: datetime) -> list[tuple[str, str]]:
    """The day and time, in UTC, at which each of its times begins and ends."""
    return [
        (f"{each.starts_at:%d %H:%M}", f"{each.ends_at:%d %H:%M}")
        for each in window.touching(since, until)
    ]


MARCH, NOVEMBER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
DAY = 24 * HOUR


def test_a_recurring_window_follows_the_clock_of_its_zone_and_lasts_elapsed_time() -> None:
    """On 29 March 02:00 in Berlin is skipped: it begins at 03:00, and lasts two hours."""
    assert times(sundays(), MARCH + 20 * DAY, MARCH + 36 * DAY) == [
        ("22 01:00", "22 03:00"),
        ("29 01:00", "29 03:00"),
        ("05 00:00", "05 02:00"),
    ]


def test_a_window_in_the_hour_that_comes_twice_begins_once() -> None:
    """On 25 October 02:00 to 03:00 comes twice in Berlin: two hours from its first 02:00 on."""
    october = datetime(2026, 10, 24, tzinfo=UTC)
    assert times(sundays(), october, october + 2 * DAY) == [("25 00:00", "25 02:00")]


def test_a_recurring_window_lasts_over_midnight_and_touches_a_time_within_it() -> None:
    nightly = sundays("0 23 * * *", 3, timezone="UTC")
    assert times(nightly, MARCH + 1.5 * HOUR, MARCH + 1.5 * HOUR) == [("28 23:00", "01 02:00")]
    assert times(nightly, MARCH + 2 * HOUR, MARCH + 3 * HOUR) == []


def test_a_recurring_window_is_bounded_by_its_plan() -> None:
    first, end = MARCH + 1.5 * HOUR, MARCH + 2 * DAY + HOUR / 2
    bounded = sundays("0 0 * * *", timezone="UTC", starts_at=first, ends_at=end)
    assert times(bounded, MARCH, MARCH + 5 * DAY) == [
        ("01 01:30", "01 02:00"),  # the rest of the one that lasts as it is planned
        ("02 00:00", "02 02:00"),
        ("03 00:00", "03 00:30"),
    ]
    phases = [bounded.phase(MARCH + hours * HOUR) for hours in (0, 24, 25.9, 26, 48.5)]
    assert phases == [Phase.TO_COME, Phase.LASTS, Phase.LASTS, Phase.TO_COME, Phase.OVER]


@pytest.mark.parametrize(("hours", "overlaps"), [(23.9, False), (24, True), (25, True)])
def test_a_window_that_would_begin_again_before_it_ends_is_told(
    hours: float, overlaps: bool
) -> None:
    assert sundays("0 2 * * *", hours, timezone="UTC").overlaps_itself() is overlaps


def test_a_recurring_window_is_named_with_what_it_recurs_by() -> None:
    found = covering([sundays()], datetime(2026, 3, 8, 1, 30, tzinfo=UTC))
    assert found is not None
    assert found.in_words() == (
        "maintenance window 9 of report (0 2 * * 0 Europe/Berlin), 2026-03-08 01:00 to "
        "2026-03-08 03:00 UTC, by anna: backups"
    )
    assert covering([sundays()], datetime(2026, 3, 8, 3, tzinfo=UTC)) is None


def test_instants_in_a_recurring_window_do_not_fire_and_those_between_its_times_do() -> None:
    """A month late: each of its times has a row of its own."""
    window = sundays("0 2 * * *", timezone="UTC", starts_at=TWO)
    found = planned(TWO + 3 * 24 * HOUR - HOUR, window, missed=MissedPolicy.CATCH_UP)
    assert not_fired(found) == [
        *[("BLACKOUT", 2, 2), ("MISSED", 4, 22), ("BLACKOUT", 2, 2), ("MISSED", 4, 22)],
        *[("BLACKOUT", 2, 2), ("MISSED", 4, 21)],
    ]
    assert found.fire == TWO + 3 * 24 * HOUR - HOUR


def test_a_schedule_has_the_windows_for_all_and_its_own() -> None:
    for_all, other = a_window(TWO), replace(a_window(TWO), schedule_id="other")
    assert of_schedule([for_all], "report") == [for_all]
    assert of_schedule([for_all, other, sundays()], "report") == [for_all, sundays()]


def holding(starts_at: datetime, ends_at: datetime | None, id: int = 1) -> Window:
    return replace(a_window(starts_at, ends_at, id), run_after=True)


FOUR = TWO + 2 * HOUR


@pytest.mark.parametrize("policy", [MissedPolicy.SKIP, MissedPolicy.CATCH_UP])
def test_what_is_due_in_a_window_that_holds_is_decided_after_it(policy: MissedPolicy) -> None:
    """Until then nothing is; then the newest fires, and stands for the older ones."""
    window = holding(TWO, FOUR)
    for now in (TWO + HOUR / 2, TWO + HOUR, FOUR - MINUTE):
        found = planned(now, window, cron="30 * * * *", since=TWO + HOUR / 2, missed=policy)
        assert (found.fire, found.not_fired) == (None, ())
        assert found.next_run_at == TWO + HOUR / 2
    after = planned(FOUR + MINUTE, window, cron="30 * * * *", since=TWO + HOUR / 2, missed=policy)
    assert (after.fire, not_fired(after)) == (TWO + 1.5 * HOUR, [("COALESCED", 2, 1)])
    assert after.hold == after.not_fired[0].hold == Hold(HeldBy.WINDOW, FOUR)
    assert after.fire_reason == (
        "held until 2026-03-01 04:00 UTC by maintenance window 1, 2026-03-01 02:00 to "
        "2026-03-01 04:00 UTC, by anna: new disks"
    )


def test_grace_counts_from_the_end_of_the_window() -> None:
    """2 minutes: at 04:02 it fires, later it was missed, for want of a tick."""
    window = holding(TWO, FOUR)
    in_grace = planned(FOUR + 2 * MINUTE, window, cron="0 2 * * *")
    assert (in_grace.fire, in_grace.not_fired) == (TWO, ())
    late = planned(FOUR + 3 * MINUTE, window, cron="0 2 * * *")
    assert (late.fire, not_fired(late)) == (None, [("MISSED", 2, 1)])
    assert late.not_fired[0].hold == Hold(HeldBy.WINDOW, FOUR)
    caught_up = planned(FOUR + 3 * MINUTE, window, cron="0 2 * * *", missed=MissedPolicy.CATCH_UP)
    assert caught_up.fire == TWO


def test_what_was_in_grace_as_the_window_began_is_held_as_well() -> None:
    window = holding(TWO + MINUTE, FOUR)
    assert planned(TWO + 1.5 * MINUTE, window, cron="0 2 * * *").not_fired == ()
    assert planned(FOUR + MINUTE, window, cron="0 2 * * *").fire == TWO
    # It had three minutes of open time, of two.
    early = holding(TWO + 2 * MINUTE, FOUR)
    assert planned(FOUR + MINUTE, early, cron="0 2 * * *").fire is None


def test_an_instant_at_the_end_of_the_window_stands_for_those_that_it_held() -> None:
    found = planned(FOUR, holding(TWO, FOUR))
    assert (found.fire, not_fired(found), found.hold) == (FOUR, [("COALESCED", 2, 2)], None)


def test_catching_up_all_goes_through_what_a_window_held_one_by_one() -> None:
    found = planned(FOUR + MINUTE, holding(TWO, FOUR), missed=MissedPolicy.CATCH_UP_ALL)
    assert (found.fire, found.next_run_at, found.not_fired) == (TWO, TWO + HOUR, ())


def test_what_lies_in_a_window_that_skips_is_given_up_even_if_another_holds_it() -> None:
    """And what is held waits until neither lasts."""
    windows = (holding(TWO, FOUR), a_window(TWO + 0.9 * HOUR, FOUR + HOUR / 2, id=2))
    assert planned(FOUR + HOUR / 4, *windows).next_run_at == TWO
    found = planned(FOUR + HOUR / 2, *windows)
    assert (found.fire, not_fired(found)) == (TWO, [("BLACKOUT", 3, 2)])
    assert found.hold == Hold(HeldBy.WINDOW, FOUR + HOUR / 2)


def test_the_brake_after_a_window_puts_off_what_is_in_grace_then() -> None:
    window, rule, cursor = holding(TWO, FOUR), daily(cron="0 2 * * *"), Cursor(TWO)
    found = plan(rule, cursor, FOUR, 60.0, [window])
    assert throttle(rule, cursor, found, FOUR, 60.0, [window]).next_run_at == TWO
    last = FOUR + 2 * MINUTE
    held = throttle(rule, cursor, plan(rule, cursor, last, 60.0, [window]), last, 60.0, [window])
    assert not_fired(held) == [("HELD", 2, 1)]
    assert held.not_fired[0].hold == Hold(HeldBy.BRAKE, TWO + 2 * MINUTE)


def test_a_list_of_what_is_to_come_tells_the_held_one_that_fires_from_those_before_it() -> None:
    rule, window = daily(cron="30 * * * *"), holding(TWO, FOUR)
    hours = [TWO + (number + 0.5) * HOUR for number in range(3)]
    stood_for, fires, free = cut_at_limit(rule, hours, [window], None)
    assert stood_for.window is not None
    assert stood_for.window.in_words().startswith(
        "the newer instant 2026-03-01 03:30 UTC stands for it, as both are held until"
    )
    assert fires.held is not None
    assert (fires.window, fires.held.ends_at) == (None, FOUR)
    assert (free.window, free.held) == (None, None)
    assert count_firing(rule, TWO, TWO + 3 * HOUR, [window]) == 2
    assert [each.at for each in cut_at_limit(rule, hours, [window], 1)] == hours[:2]
