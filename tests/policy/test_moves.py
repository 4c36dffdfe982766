"""A calendar moves instants to business days: where each is decided, and which of them fires."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.policy.rules import at, daily
from tick.policy import instants, moves, planner
from tick.policy.ahead import forecast
from tick.policy.business_days import BusinessDays
from tick.policy.closed_times import count_firing, firing_between, list_ahead
from tick.policy.day_rules import day_off_at
from tick.policy.local_steps import LocalStep
from tick.policy.planner import Cursor, Plan
from tick.policy.rule import Rule, as_written
from tick.policy.windows import Window
from tick.states import DayRule, MissedPolicy, Outcome, ReasonKind, ScheduleKind

# 1 March 2026 is a Sunday.
DAYS = BusinessDays(
    "plant",
    first="20250101",
    until="20271231",
    holidays=(("Founders' Day", "20260304"), ("Long weekend", "20260501 20260504")),
    half_days=(("13:00", "20260305 20260313"),),
    make_up_days="20260314",
    estimated="20260311",
)
NEXT, PREVIOUS = DayRule.NEXT_BUSINESS_DAY, DayRule.PREVIOUS_BUSINESS_DAY
MODIFIED = DayRule.MODIFIED_FOLLOWING
SATURDAYS = "0 2 * * 6"
DAY = timedelta(days=1)


def moved(day_rule: DayRule = NEXT, **parts: Any) -> Rule:
    """Every day at 02:00 UTC, moved by the plant's calendar."""
    return daily(calendar=parts.pop("calendar", DAYS), day_rule=day_rule, **parts)


def days(rule: Rule, since: str, until: str) -> list[str]:
    """The days on which it fires."""
    return [f"{each:%m-%d}" for each in firing_between(rule, at(since), at(until), 100)]


def planned(rule: Rule, since: str, now: str, *windows: Window) -> Plan:
    return planner.plan(rule, Cursor(at(since)), at(now), 60.0, windows)


def test_next_previous_and_modified_following() -> None:
    spans = ("02-27 12:00", "03-10 12:00")
    assert days(moved(NEXT, cron=SATURDAYS), *spans) == ["03-02", "03-09"]
    assert days(moved(PREVIOUS, cron=SATURDAYS), *spans) == ["03-06"]
    # 28 February 2026 is a Saturday: the next business day would be in March.
    assert days(moved(MODIFIED, cron=SATURDAYS), "02-27 00:00", "03-10 12:00") == ["02-27", "03-09"]


def test_holidays_and_worked_weekends_count_as_the_calendar_has_them() -> None:
    rule = moved(NEXT, cron="0 2 * * 3,6")
    assert days(rule, "03-03 12:00", "03-15 12:00") == ["03-05", "03-09", "03-11", "03-14"]
    assert days(moved(NEXT, cron="0 2 1 * *"), "04-30 12:00", "05-20 00:00") == ["05-05"]
    assert days(moved(MODIFIED, cron="0 2 1 * *"), "04-25 12:00", "05-20 00:00") == ["05-05"]


def test_of_several_that_meet_one_fires_and_the_others_name_it() -> None:
    plan = planned(moved(), "03-07 02:00", "03-09 02:00:10")
    assert (plan.fire, plan.nominal_for, plan.fire_reason) == (at("03-09 02:00"), None, None)
    (both,) = plan.not_fired
    assert (both.outcome, both.kind) == (Outcome.COALESCED, ReasonKind.CALENDAR)
    assert (both.first, both.last, both.count) == (at("03-07 02:00"), at("03-08 02:00"), 2)
    assert both.reason == (
        "calendar plant: weekend; moved to 2026-03-09 02:00 UTC, where the schedule's own instant "
        "fires for it as well"
    )
    twice = planned(moved(cron="0 2,14 * * *"), "03-07 02:00", "03-09 02:00:10")
    assert twice.not_fired[0].reason == (
        "calendar plant: weekend; moved to 2026-03-09, where other instants of the same times "
        "fire for them"
    )
    weekends = moved(cron="0 2 * * 6,0")
    plan = planned(weekends, "03-07 02:00", "03-09 02:00:10")
    assert (plan.fire, plan.nominal_for) == (at("03-09 02:00"), at("03-08 02:00"))
    assert plan.not_fired[0].reason == (
        "calendar plant: weekend; moved to 2026-03-09 02:00 UTC, where the instant of 2026-03-08 "
        "02:00 UTC, moved there too, fires for it as well"
    )


def test_a_moved_instant_says_from_where_it_was_moved_and_why() -> None:
    plan = planned(moved(cron="0 2 * * 3"), "03-05 02:00", "03-05 02:00:10")
    assert (plan.fire, plan.nominal_for) == (at("03-05 02:00"), at("03-04 02:00"))
    assert plan.fire_reason == "moved from 2026-03-04 02:00 UTC by calendar plant: Founders' Day"
    assert plan.next_run_at == at("03-11 02:00")
    late = planned(moved(cron="0 2 * * 3"), "03-05 02:00", "03-05 12:00")
    assert [(each.outcome, each.nominal_for) for each in late.not_fired] == [
        (Outcome.MISSED, at("03-04 02:00"))
    ]


def test_the_wall_time_stays_over_clock_changes() -> None:
    berlin = moved(cron="30 2 * * 6", timezone="Europe/Berlin")
    # The clocks go forward on Sunday, 29 March, and back on Sunday, 25 October.
    found = firing_between(berlin, at("03-27 12:00"), at("04-01 00:00"), 5)
    assert found == [at("03-30 00:30")]
    found = firing_between(berlin, at("10-23 12:00"), at("10-28 00:00"), 5)
    assert found == [at("10-26 01:30")]
    sundays_too = BusinessDays("plant", "20250101", "20271231", weekend=(5,))
    leaps = moved(cron="30 2 * * 6", timezone="Europe/Berlin", calendar=sundays_too)
    assert firing_between(leaps, at("03-27 12:00"), at("04-01 00:00"), 5) == [at("03-29 01:00")]
    both = firing_between(leaps, at("10-23 12:00"), at("10-28 00:00"), 5)
    assert both == [at("10-25 00:30")]


def test_jitter_moves_along_and_moves_nothing_to_another_day() -> None:
    rule = moved(cron="55 23 * * 6", offset_seconds=600.0)
    assert firing_between(rule, at("03-06 12:00"), at("03-12 00:00"), 5) == [at("03-10 00:05")]


def test_what_comes_after_a_half_day_is_over_moves_and_nothing_moves_there() -> None:
    rule = moved(cron="0 17 * * *")
    plan = planned(rule, "03-05 17:00", "03-06 17:00:10")
    assert plan.fire == at("03-06 17:00")
    (older,) = plan.not_fired
    assert (older.outcome, older.first) == (Outcome.COALESCED, at("03-05 17:00"))
    assert older.reason.startswith("calendar plant: a half day, over at 13:00; moved to 2026-03-06")
    # Back from Sunday, Saturday is worked; from Monday on, Friday is only open in the morning.
    fridays = moved(PREVIOUS, cron="0 17 * * 5")
    assert days(fridays, "03-12 00:00", "03-14 00:00") == ["03-12"]
    assert days(moved(PREVIOUS, cron="0 9 * * 5"), "03-12 00:00", "03-14 00:00") == ["03-13"]


def test_without_a_business_day_near_it_is_dropped_and_says_so() -> None:
    closed = " ".join(f"{date(2026, 3, 1) + number * DAY:%Y%m%d}" for number in range(60))
    summer = BusinessDays("shut", "20250101", "20271231", holidays=(("Works holidays", closed),))
    off = day_off_at(moved(calendar=summer), at("03-10 02:00"))
    assert off is not None and (off.outcome, off.reason) == (
        Outcome.BLACKOUT,
        "calendar shut: Works holidays; no business day within 31 days to move to",
    )
    assert days(moved(calendar=summer), "02-28 12:00", "05-01 12:00") == ["04-30", "05-01"]


def test_a_move_over_a_day_that_nobody_knows_says_so() -> None:
    rule = moved(cron=SATURDAYS)
    due = datetime(2028, 3, 6, 2, tzinfo=UTC)
    plan = planner.plan(rule, Cursor(due), due, 60.0)
    assert plan.fire == due
    assert plan.fire_reason is not None and plan.fire_reason.endswith(
        "; calendar plant is known from 2025-01-01 to 2027-12-31: only the weekday decided"
    )
    wednesday = planned(moved(cron="0 2 * * 3"), "03-11 02:00", "03-11 02:00:10")
    assert wednesday.fire_reason == "calendar plant only estimates this day"


def test_windows_are_asked_where_it_moved_to() -> None:
    window = Window(3, at("03-09 00:00"), at("03-09 12:00"), "new disks", "anna")
    plan = planned(moved(cron=SATURDAYS), "03-09 02:00", "03-09 02:00:10", window)
    assert [(each.kind, each.first, each.nominal_for) for each in plan.not_fired] == [
        (ReasonKind.WINDOW, at("03-09 02:00"), at("03-07 02:00"))
    ]
    after = Window(3, at("03-09 00:00"), at("03-09 12:00"), "new disks", "anna", run_after=True)
    plan = planned(moved(cron=SATURDAYS), "03-09 02:00", "03-09 12:00:10", after)
    assert (plan.fire, plan.nominal_for) == (at("03-09 02:00"), at("03-07 02:00"))
    coming = forecast(moved(cron=SATURDAYS), at("03-09 02:00"), [after])
    assert (coming.nominal_for, coming.held is not None) == (at("03-07 02:00"), True)


def test_lists_show_moved_instants_and_named_holidays() -> None:
    found = list_ahead(moved(), at("03-03 12:00"), at("03-10 00:00"), 9)
    assert [each.day for each in found] == [4, 5, 6, 9]
    assert count_firing(moved(), at("03-03 12:00"), at("03-10 00:00"), ()) == 3


def test_each_missed_one_is_caught_up_where_it_moved_to() -> None:
    month = 31 * 86_400.0
    all_of_them = {"missed": MissedPolicy.CATCH_UP_ALL, "max_catch_up_age_seconds": month}
    rule = moved(cron=SATURDAYS, **all_of_them)
    plan = planned(rule, "02-23 02:00", "03-10 12:00")
    assert (plan.fire, plan.nominal_for) == (at("02-23 02:00"), at("02-21 02:00"))
    assert plan.next_run_at == at("03-02 02:00")


def test_a_rule_that_moves_travels_as_json_in_a_format_of_its_own() -> None:
    rule = moved(counts_from=at("03-01 00:00"), carried=(at("02-28 02:00"),))
    assert Rule.from_json(rule.to_json()) == rule
    assert rule.format == 3
    assert as_written(rule.to_json()) == moved().to_json()
    assert daily(spent=(at("03-07 02:00"),)).format == 3


# --- held against a walk over all days ---


def slowly(rule: Rule, since: datetime, until: datetime) -> dict[datetime, datetime]:
    """The places in [since, until) by nominal instant, worked out one by one."""
    zone, days_of = ZoneInfo(rule.timezone), rule.calendar
    assert days_of is not None
    found = instants.all_between(rule.unmoved, since - 40 * DAY, until + 40 * DAY)
    targets: dict[datetime, list[datetime]] = defaultdict(list)
    for nominal in found:
        wall = nominal.astimezone(zone)
        targets[_target(days_of, rule, wall)].append(nominal)
    places = {}
    for target, those in targets.items():
        first = target if target in those else those[-1]
        places |= {each: each for each in those} | {first: target}
    return {nominal: place for nominal, place in places.items() if since <= place < until}


def _target(days_of: BusinessDays, rule: Rule, wall: datetime) -> datetime:
    if days_of.is_open(wall.date(), wall.time()):
        return wall.astimezone(UTC)

    def first(step: timedelta) -> date:
        day = wall.date()
        while not days_of.is_open(day, wall.time()):
            day += step
        return day

    day = first(-DAY if rule.day_rule is PREVIOUS else DAY)
    if rule.day_rule is MODIFIED and day.month != wall.month:
        day = first(-DAY)
    there = datetime.combine(day, wall.time(), wall.tzinfo)
    if there.astimezone(UTC).astimezone(wall.tzinfo).time() == wall.time():
        return there.astimezone(UTC)
    # In the hour that the clock leaps over, all zones here have it on the full hour.
    return datetime.combine(day, time(wall.hour + 1), wall.tzinfo).astimezone(UTC)


def _random_days(random: Random) -> BusinessDays:
    every = [date(2026, 1, 1) + number * DAY for number in range(365)]
    holidays = sorted(random.sample(every, random.choice([0, 10, 60])))
    halves = sorted(set(random.sample(every, random.choice([0, 20]))) - set(holidays))
    return BusinessDays(
        "random",
        first="20260101",
        until="20261231",
        weekend=random.choice([(5, 6), (4, 5), (6,), ()]),
        holidays=(("x", " ".join(f"{day:%Y%m%d}" for day in holidays)),) if holidays else (),
        half_days=(("12:00", " ".join(f"{day:%Y%m%d}" for day in halves)),) if halves else (),
    )


CRONS = ["30 2 * * *", "30 2 * * 6,0", "0 8,20 * * 5-7", "15 */6 1,15 * *", "30 2,14 28-31 * *"]


@pytest.mark.parametrize("day_rule", [NEXT, PREVIOUS, MODIFIED])
@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_places_are_those_of_a_walk_over_all_days(day_rule: DayRule, timezone: str) -> None:
    random = Random(f"{day_rule} {timezone}")
    for cron in CRONS:
        rule = moved(day_rule, cron=cron, timezone=timezone, calendar=_random_days(random))
        since = at("01-20 00:00") + random.randrange(300) * DAY
        until = since + timedelta(hours=random.randrange(1, 40 * 24))
        expected = slowly(rule, since, until)
        start, end = since - timedelta(microseconds=1), until - timedelta(microseconds=1)
        found = {each.nominal: each.at for each in moves.places_between(rule, start, end)}
        assert found == expected
        ordered = sorted(expected.values())
        assert len(set(ordered)) == len(ordered)
        assert instants.all_between(rule, start, end) == ordered
        assert instants.between(rule, start, end, 7) == ordered[:7]
        assert instants.count(rule, start, end) == len(ordered)
        assert instants.latest_until(rule, start, end) == (ordered[-1] if ordered else None)
        for nominal, place in expected.items():
            assert moves.place_of(rule, nominal) is not None
            assert moves.moved_from(rule, place) == (None if place == nominal else nominal)


def test_steps_of_local_days_are_moved_as_well() -> None:
    step = LocalStep(date(2026, 1, 31), time(2), months=1, month_day=31)
    rule = Rule(ScheduleKind.INTERVAL, step=step, timezone="Europe/Berlin", calendar=DAYS)
    following = replace(rule, day_rule=MODIFIED)
    found = firing_between(following, at("01-01 00:00"), at("06-29 00:00"), 9)
    assert [f"{each:%m-%d}" for each in found] == ["01-30", "02-27", "03-31", "04-30", "05-29"]


def test_rare_instants_are_found_however_far_they_are() -> None:
    rule = moved(cron="0 2 29 2 *")
    assert instants.first_after(rule, at("03-01 00:00")) == datetime(2028, 2, 29, 2, tzinfo=UTC)
    before = instants.latest_until(rule, instants.EPOCH, at("03-01 00:00"))
    assert before == datetime(2024, 2, 29, 2, tzinfo=UTC)
    once = moved(cron=SATURDAYS, ends_at=at("03-07 12:00"))
    # The end is one of the rule's own instants; what it moves may lie behind it.
    assert days(once, "03-06 00:00", "03-30 00:00") == ["03-09"]
    assert instants.first_after(once, at("03-09 12:00")) is None
