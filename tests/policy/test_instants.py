"""The nominal instants of every kind of rule, their bounds and their jitter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.rules import at, daily, every, once
from tick.policy import instants
from tick.policy.rule import Rule
from tick.states import ScheduleKind

HOUR = timedelta(hours=1)
RULES = [
    daily(),
    daily(cron="*/7 1-3 * * *", timezone="Europe/Berlin"),
    daily(cron="30 1 * * *", timezone="America/New_York", fold="both"),
    daily(offset_seconds=217.0),
    daily(starts_at=at("03-03 02:00"), ends_at=at("10-26 02:00")),
    every(5400.0),
    every(86_400.0, anchor=at("01-01 07:30"), offset_seconds=12.0),
    once(at("06-01 12:00")),
]


def test_the_next_instant_is_strictly_later() -> None:
    assert instants.first_after(daily(), at("03-01 02:00")) == at("03-02 02:00")


def test_the_latest_instant_may_be_the_present_one() -> None:
    assert instants.latest_until(daily(), at("02-01 00:00"), at("03-01 02:00")) == at("03-01 02:00")


def test_an_interval_keeps_to_its_anchor_whatever_came_between() -> None:
    rule = every(3600.0, anchor=at("01-01 00:17"))
    assert instants.first_after(rule, at("03-01 02:40")) == at("03-01 03:17")
    assert instants.first_after(rule, at("03-01 03:17")) == at("03-01 04:17")


def test_an_interval_begins_with_its_anchor() -> None:
    rule = every(3600.0, anchor=at("06-01 00:17"))
    assert instants.latest_until(rule, at("01-01 00:00"), at("03-01 02:40")) is None
    assert instants.count(rule, at("01-01 00:00"), at("06-01 00:16")) == 0
    assert instants.between(rule, at("01-01 00:00"), None, 2) == [
        at("06-01 00:17"),
        at("06-01 01:17"),
    ]


def test_a_single_instant_comes_once() -> None:
    rule = once(at("06-01 12:00"))
    assert instants.first_after(rule, at("05-01 00:00")) == at("06-01 12:00")
    assert instants.first_after(rule, at("06-01 12:00")) is None
    assert instants.count(rule, at("05-01 00:00"), at("07-01 00:00")) == 1


def test_both_bounds_are_inside() -> None:
    rule = daily(starts_at=at("03-02 02:00"), ends_at=at("03-04 02:00"))
    found = instants.between(rule, at("01-01 00:00"), None, 10)
    assert found == [at("03-02 02:00"), at("03-03 02:00"), at("03-04 02:00")]
    assert instants.latest_until(rule, at("01-01 00:00"), at("12-01 00:00")) == at("03-04 02:00")


def test_after_its_end_a_rule_has_no_instant() -> None:
    assert instants.first_after(daily(ends_at=at("03-01 02:00")), at("03-01 02:00")) is None


def test_jitter_moves_every_instant_by_the_same_length() -> None:
    rule = daily(offset_seconds=90.0)
    assert instants.between(rule, at("03-01 02:00"), at("03-02 23:00"), 9) == [
        at("03-01 02:01:30"),
        at("03-02 02:01:30"),
    ]


@pytest.mark.parametrize("kind", [daily(cron="0 * * * *"), every(3600.0)], ids=["cron", "every"])
@pytest.mark.parametrize("share", [0.0, 186.0, 5400.0])
def test_jitter_takes_no_instant_from_a_bounded_rule_and_adds_none(
    kind: Rule, share: float
) -> None:
    bounded = replace(kind, starts_at=at("03-01 00:00"), ends_at=at("03-01 03:00"))
    plain = instants.between(bounded, at("02-01 00:00"), None, 9)
    moved = replace(bounded, offset_seconds=share)
    expected = [instant + timedelta(seconds=share) for instant in plain]
    assert len(plain) == 4
    assert instants.between(moved, at("02-01 00:00"), None, 9) == expected
    assert instants.count(moved, at("02-01 00:00"), at("04-01 00:00")) == 4
    assert instants.latest_until(moved, at("02-01 00:00"), at("04-01 00:00")) == expected[-1]
    assert instants.first_after(moved, expected[-1]) is None


def test_an_empty_or_backward_window_holds_nothing() -> None:
    for start, end in [("03-01 02:00", "03-01 02:00"), ("03-02 02:00", "03-01 02:00")]:
        assert instants.between(daily(), at(start), at(end), 5) == []
        assert instants.count(daily(), at(start), at(end)) == 0
        assert instants.latest_until(daily(), at(start), at(end)) is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.to_json())
@settings(deadline=None)
@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
    hours=st.integers(0, 24 * 40),
)
def test_the_five_questions_agree(rule: Rule, start: datetime, hours: int) -> None:
    after = start.replace(tzinfo=at("01-01 00:00").tzinfo)
    until = after + hours * HOUR
    found = instants.between(rule, after, until, 10_000)
    assert found == sorted(set(found))
    assert all(after < instant <= until for instant in found)
    assert instants.count(rule, after, until) == len(found)
    assert instants.latest_until(rule, after, until) == (found[-1] if found else None)
    middle = len(found) // 2
    if found:
        assert instants.nth(rule, after, until, middle) == found[middle]
    first = instants.first_after(rule, after)
    assert first == found[0] if found else first is None or first > until


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    "expression",
    ["*/7 * * * *", "30 1-3 * * *", "0 0 1,15 * MON", "0 9 * * MON-FRI", "15 2 29 2 *"],
)
@pytest.mark.parametrize("offset", [0.0, 12.5])
def test_all_instants_listed_by_the_day_are_those_of_a_walk(
    zone: str, expression: str, offset: float
) -> None:
    rule = Rule(ScheduleKind.CRON, cron=expression, timezone=zone, offset_seconds=offset)
    for after in (datetime(2024, 2, 27, 3, 4, 5, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)):
        until = after + timedelta(days=45, minutes=7)
        walked = instants.between(rule, after, until, limit=100_000)
        assert instants.all_between(rule, after, until) == walked
