"""A calendar drops instants of a rule, and the tick plans by it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.policy.rules import at, daily
from tick.policy import planner
from tick.policy.ahead import NextInstant, cut_at_limit, runs_left
from tick.policy.business_days import BusinessDays
from tick.policy.closed_times import count_firing, latest_firing, list_ahead, split_by_closed_times
from tick.policy.day_rules import day_off_at, split_by_days
from tick.policy.planner import Cursor, Plan
from tick.policy.rule import Rule
from tick.policy.windows import Window
from tick.states import DayRule, MissedPolicy, Outcome, ReasonKind

DAYS = BusinessDays(
    "plant",
    first="20260101",
    until="20261231",
    holidays=(("Founders' Day", "20260304"), ("Saturday off", "20260307")),
    half_days=(("13:00", "20260305"),),
    make_up_days="20260314",
    estimated="20260311",
)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def ruled(day_rule: DayRule = DayRule.ONLY_BUSINESS_DAYS, **parts: Any) -> Rule:
    """Every day at 02:00 UTC by the plant's calendar. 1 March 2026 is a Sunday."""
    return daily(calendar=DAYS, day_rule=day_rule, **parts)


def fires(rule: Rule, count: int = 31) -> list[int]:
    """The days of March on which the rule's instants at 02:00 fire."""
    instants = [at("03-01 02:00") + number * DAY for number in range(count)]
    return [instant.day for instant in instants if day_off_at(rule, instant) is None]


def planned(rule: Rule, since: str, now: str, *windows: Window, **cursor: Any) -> Plan:
    return planner.plan(rule, Cursor(at(since), **cursor), at(now), 60.0, windows)


def said(plan: Plan) -> list[tuple[str, int, int, str]]:
    """(outcome, day of the first instant, how many, why)."""
    return [(each.outcome, each.first.day, each.count, each.reason) for each in plan.not_fired]


def test_business_days_are_neither_weekends_nor_holidays_but_worked_weekends_are() -> None:
    assert fires(ruled(), 16) == [2, 3, 5, 6, 9, 10, 11, 12, 13, 14, 16]


def test_without_holidays_a_weekend_is_a_day_like_any_other() -> None:
    assert fires(ruled(DayRule.SKIP_HOLIDAYS), 9) == [1, 2, 3, 5, 6, 8, 9]


def test_only_holidays_are_those_with_a_name_on_a_weekend_or_not() -> None:
    assert fires(ruled(DayRule.ONLY_HOLIDAYS)) == [4, 7]


def test_a_day_begins_at_midnight_in_the_zone_of_the_rule() -> None:
    rule = ruled(timezone="Asia/Tokyo")
    # 15:00 UTC is midnight in Tokyo.
    assert day_off_at(rule, at("03-03 14:59")) is None
    assert day_off_at(rule, at("03-03 15:00")) is not None
    assert day_off_at(rule, at("03-04 14:59")) is not None
    assert day_off_at(rule, at("03-04 15:00")) is None


def test_jitter_moves_no_instant_to_another_day() -> None:
    rule = ruled(cron="59 23 * * *", offset_seconds=600.0)
    assert day_off_at(rule, at("03-04 00:09")) is None
    assert day_off_at(rule, at("03-05 00:09")) is not None


def test_a_half_day_is_over_at_its_time() -> None:
    rule = ruled(cron="0 9,13,17 * * *")
    assert day_off_at(rule, at("03-05 09:00")) is None
    for late in ("03-05 13:00", "03-05 17:00"):
        off = day_off_at(rule, at(late))
        assert off is not None and off.in_words() == ("calendar plant: a half day, over at 13:00")
    parts = [*split_by_days(rule, at("03-05 00:00"), at("03-05 23:00"))]
    assert [(part.until, part.off is None) for part in parts] == [
        (at("03-05 13:00") - timedelta(microseconds=1), True),
        (at("03-05 23:00"), False),
    ]


def test_segments_are_whole_and_days_alike_are_one() -> None:
    start, end = at("03-02 02:00"), at("03-16 02:00")
    parts = [*split_by_days(ruled(DayRule.ONLY_HOLIDAYS), start, end)]
    assert [part.after for part in parts[1:]] == [part.until for part in parts[:-1]]
    assert (parts[0].after, parts[-1].until) == (start, end)
    assert [part.off is None for part in parts] == [False, True, False, True, False]


def test_what_is_dropped_is_blackout_with_the_name_of_the_holiday() -> None:
    plan = planned(ruled(), "03-04 02:00", "03-04 02:00:20")
    assert (plan.fire, plan.decided_to) == (None, at("03-04 02:00"))
    assert said(plan) == [("BLACKOUT", 4, 1, "calendar plant: Founders' Day")]
    assert plan.not_fired[0].kind is ReasonKind.CALENDAR
    assert plan.next_run_at == at("03-05 02:00")


def test_an_outage_over_a_weekend_is_told_apart_from_it() -> None:
    plan = planned(ruled(), "03-06 02:00", "03-09 12:00")
    assert plan.fire is None
    assert [each[:3] for each in said(plan)] == [
        ("MISSED", 6, 1),
        ("BLACKOUT", 7, 1),
        ("BLACKOUT", 8, 1),
        ("MISSED", 9, 1),
    ]


def test_a_missed_friday_is_caught_up_on_saturday() -> None:
    """The calendar asks on which day an instant lies, not on which day a tick comes."""
    rule = ruled(missed=MissedPolicy.CATCH_UP)
    plan = planned(rule, "03-06 02:00", "03-07 02:10")
    assert plan.fire == at("03-06 02:00")
    assert [each[:3] for each in said(plan)] == [("BLACKOUT", 7, 1)]
    assert plan.decided_to == at("03-07 02:00")


def test_catching_up_all_passes_over_days_off() -> None:
    rule = ruled(missed=MissedPolicy.CATCH_UP_ALL, max_catch_up_age_seconds=10 * 86_400.0)
    plan = planned(rule, "03-04 02:00", "03-08 12:00")
    assert plan.fire == at("03-05 02:00")
    assert [each[:3] for each in said(plan)] == [("BLACKOUT", 4, 1)]


def test_a_window_and_a_calendar_each_say_their_own() -> None:
    window = Window(3, at("03-03 00:00"), at("03-06 00:00"), "new disks", "anna")
    plan = planned(ruled(), "03-02 02:00", "03-06 02:00:10", window)
    assert plan.fire == at("03-06 02:00")
    kinds = [(each.first.day, each.kind) for each in plan.not_fired]
    assert kinds == [
        (2, None),
        (3, ReasonKind.WINDOW),
        (4, ReasonKind.CALENDAR),
        (5, ReasonKind.WINDOW),
    ]


def test_a_stop_without_end_is_a_kind_of_its_own() -> None:
    stop = Window(3, at("03-03 00:00"), None, "move", "anna")
    plan = planned(daily(), "03-03 02:00", "03-03 02:00:10", stop)
    assert [each.kind for each in plan.not_fired] == [ReasonKind.STOPPED]


def test_dropped_instants_use_up_no_limit() -> None:
    rule = ruled(max_runs=3)
    now = at("03-01 12:00")
    instants = [at(f"03-0{day} 02:00") for day in range(2, 8)]
    found = [*cut_at_limit(rule, instants, (), runs_left(rule, 0, now, now, ()))]
    assert [(each.at.day, each.window is None) for each in found] == [
        (2, True),
        (3, True),
        (4, False),
        (5, True),
    ]
    assert isinstance(found[0], NextInstant)
    assert count_firing(rule, now, at("03-09 12:00"), ()) == 5
    assert latest_firing(rule, now, at("03-08 12:00"), ()) == at("03-06 02:00")
    assert latest_firing(rule, at("03-07 00:00"), at("03-08 12:00"), ()) is None


def test_lists_name_holidays_and_leave_out_plain_weekends() -> None:
    found = list_ahead(ruled(), at("03-03 12:00"), None, 5)
    assert [instant.day for instant in found] == [4, 5, 6, 7, 9]
    only = list_ahead(ruled(DayRule.ONLY_HOLIDAYS), at("03-01 00:00"), at("04-01 00:00"), 9)
    assert [instant.day for instant in only] == [4, 7]
    assert list_ahead(ruled(DayRule.ONLY_HOLIDAYS), at("03-08 00:00"), None, 1) == []


@pytest.mark.parametrize(
    ("day", "doubt"),
    [
        (date(2026, 3, 10), None),
        (date(2026, 3, 11), "calendar plant only estimates this day"),
        (
            date(2027, 3, 10),
            "calendar plant is known from 2026-01-01 to 2026-12-31: only the weekday decided",
        ),
    ],
)
def test_what_is_not_certain_fires_and_says_so(day: date, doubt: str | None) -> None:
    due = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    plan = planner.plan(ruled(), Cursor(due), due + MINUTE, 60.0)
    assert (plan.fire, plan.fire_reason) == (due, doubt)


def test_without_calendar_and_windows_nothing_is_cut() -> None:
    start, end = at("03-01 00:00"), at("03-09 00:00")
    (part,) = split_by_closed_times(daily(), (), start, end)
    assert (part.after, part.until, part.closed) == (start, end, None)
    assert [*split_by_days(ruled(), end, start)] == []
    assert Outcome.BLACKOUT not in {
        each.outcome for each in planned(daily(), "03-01 02:00", "03-01 02:01").not_fired
    }
