"""Which due instant fires, and what becomes of the others."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.rules import at, daily, every, once
from tick.policy import instants
from tick.policy.missed import Choice, choose, grace_seconds, suppressed, usual_tick_seconds
from tick.policy.rule import Rule
from tick.states import MissedPolicy, Outcome

HOURLY = "0 * * * *"
MINUTELY = "* * * * *"


def chosen(rule: Rule, since: str, now: str, **how: Any) -> Choice:
    found = choose(rule, at(since), at(now), grace_seconds(rule, 60.0), **how)
    assert found is not None
    return found


def rows(choice: Choice) -> list[tuple[str, datetime, datetime, int]]:
    return [(row.outcome, row.first, row.last, row.count) for row in choice.not_fired]


def test_nothing_is_chosen_before_the_first_instant() -> None:
    assert choose(daily(), at("03-01 02:00"), at("03-01 01:59:59"), 120.0) is None


def test_an_instant_fires_up_to_the_end_of_its_grace() -> None:
    assert chosen(daily(), "03-01 02:00", "03-01 02:02").fire == at("03-01 02:00")
    late = chosen(daily(), "03-01 02:00", "03-01 02:02:01")
    assert late.fire is None
    assert rows(late) == [("MISSED", at("03-01 02:00"), at("03-01 02:00"), 1)]


def test_a_missed_instant_says_when_the_next_tick_came() -> None:
    late = chosen(daily(), "03-01 02:00", "03-01 05:06:07")
    assert late.not_fired[0].reason == (
        "no tick came in time; the next one came 2026-03-01 05:06:07 UTC"
    )


def test_grace_defaults_to_two_minutes_or_twice_the_tick_interval() -> None:
    assert grace_seconds(daily(), 60.0) == 120.0
    assert grace_seconds(daily(), 10.0) == 120.0
    assert grace_seconds(daily(), 600.0) == 1200.0
    assert grace_seconds(daily(grace_seconds=5.0), 600.0) == 5.0


def test_the_learned_tick_interval_is_the_median_or_a_minute_at_first() -> None:
    assert usual_tick_seconds([300.0] * 4) == 60.0
    assert usual_tick_seconds([300.0, 300.0, 301.0, 299.0, 86_400.0]) == 300.0


def test_the_newest_of_several_in_grace_fires_and_coalesces_the_rest() -> None:
    found = chosen(daily(cron=MINUTELY), "03-01 02:00", "03-01 02:02")
    assert found.fire == at("03-01 02:02")
    assert rows(found) == [("COALESCED", at("03-01 02:00"), at("03-01 02:01"), 2)]


def test_a_thousand_missed_minutes_are_one_row() -> None:
    found = chosen(daily(cron=MINUTELY), "03-01 00:00", "03-01 16:42")
    assert [(row.outcome, row.count) for row in found.not_fired] == [
        (Outcome.MISSED, 1000),
        (Outcome.COALESCED, 2),
    ]


def test_catch_up_fires_the_newest_missed_instant() -> None:
    rule = daily(cron=HOURLY, missed=MissedPolicy.CATCH_UP)
    found = chosen(rule, "03-01 00:00", "03-01 05:30")
    assert (found.fire, found.fire_reason) == (
        at("03-01 05:00"),
        "caught up after a missed instant",
    )
    assert rows(found) == [("MISSED", at("03-01 00:00"), at("03-01 04:00"), 5)]


def test_catch_up_leaves_alone_what_is_too_old() -> None:
    rule = daily(missed=MissedPolicy.CATCH_UP, max_catch_up_age_seconds=3600.0)
    assert chosen(rule, "03-01 02:00", "03-01 03:00").fire == at("03-01 02:00")
    assert chosen(rule, "03-01 02:00", "03-01 03:00:01").fire is None


@pytest.mark.parametrize("missed", [MissedPolicy.CATCH_UP, MissedPolicy.CATCH_UP_ALL])
@pytest.mark.parametrize(
    ("rule", "due", "still", "too_late"),
    [
        (daily(), "03-01 02:00", "03-02 01:59", None),
        (daily(cron="0 3 1 * *"), "05-01 03:00", "05-31 23:00", None),
        (daily(cron="0 9 * * MON-FRI"), "03-06 09:00", "03-09 08:59", None),
        (daily(cron="0 3 1 2 *"), "02-01 03:00", "12-24 03:00", None),
        (once(at("03-01 02:00")), "03-01 02:00", "03-02 02:00", "03-02 02:01"),
        (daily(ends_at=at("03-01 02:00")), "03-01 02:00", "03-02 02:00", "03-02 02:01"),
    ],
)
def test_by_default_the_newest_is_caught_up_for_a_day_or_a_period(
    missed: MissedPolicy, rule: Rule, due: str, still: str, too_late: str | None
) -> None:
    rule = replace(rule, missed=missed)
    assert chosen(rule, due, still).fire == at(due)
    if too_late is not None:
        assert chosen(rule, due, too_late).fire is None


def test_an_instant_not_caught_up_names_the_limit_that_decided() -> None:
    monthly = daily(
        cron="0 3 1 * *", missed=MissedPolicy.CATCH_UP, max_catch_up_age_seconds=86400.0
    )
    (row,) = chosen(monthly, "05-01 03:00", "05-04 08:00").not_fired
    assert row.reason == (
        "no tick came in time; the next one came 2026-05-04 08:00:00 UTC, when it was older than "
        "max_catch_up_age, 1 day"
    )
    each = daily(
        missed=MissedPolicy.CATCH_UP_ALL, max_catch_up_age_seconds=3 * 86400.0, max_catch_up_runs=2
    )
    old, crowd = chosen(each, "05-01 02:00", "05-08 01:00").not_fired
    assert (old.first, old.last, old.reason) == (
        at("05-01 02:00"),
        at("05-04 02:00"),
        "it was older than max_catch_up_age, 3 days, when a tick came",
    )
    assert (crowd.first, crowd.last, crowd.reason) == (
        at("05-05 02:00"),
        at("05-05 02:00"),
        "more than max_catch_up_runs, 2, were waiting",
    )


def test_catch_up_all_fires_the_oldest_first_and_decides_nothing_beyond_it() -> None:
    rule = daily(cron=HOURLY, missed=MissedPolicy.CATCH_UP_ALL)
    found = chosen(rule, "03-01 00:00", "03-01 05:30")
    assert (found.fire, found.decided_to) == (at("03-01 00:00"), at("03-01 00:00"))
    assert found.not_fired == ()


def test_catch_up_all_keeps_to_its_number_and_its_age() -> None:
    rule = daily(cron=HOURLY, missed=MissedPolicy.CATCH_UP_ALL, max_catch_up_runs=2)
    found = chosen(rule, "03-01 00:00", "03-01 05:30")
    assert found.fire == at("03-01 04:00")
    assert rows(found) == [("MISSED", at("03-01 00:00"), at("03-01 03:00"), 4)]
    old = daily(missed=MissedPolicy.CATCH_UP_ALL, max_catch_up_age_seconds=3600.0)
    assert chosen(old, "03-01 02:00", "03-01 04:00").fire is None


def test_a_requested_instant_fires_at_any_age_under_any_policy() -> None:
    for missed in MissedPolicy:
        rule = daily(missed=missed, max_catch_up_age_seconds=60.0)
        found = chosen(rule, "03-01 02:00", "03-01 23:00", any_age=True)
        assert (found.fire, found.fire_reason) == (at("03-01 02:00"), "asked for by a person")


def test_suppressed_instants_are_one_row_or_none() -> None:
    assert suppressed(daily(), at("03-01 02:00"), at("03-02 01:59"), "off") == ()
    (row,) = suppressed(daily(), at("03-01 02:00"), at("03-22 09:00"), "off")
    assert (row.outcome, row.first, row.last, row.count) == (
        Outcome.SUPPRESSED,
        at("03-02 02:00"),
        at("03-22 02:00"),
        21,
    )


@pytest.mark.parametrize("missed", MissedPolicy)
@settings(deadline=None)
@given(
    cron=st.sampled_from(["*/5 * * * *", "0 */3 * * *", "30 1 * * *", "every"]),
    since=st.integers(0, 400),
    passed=st.integers(0, 6000),
    runs=st.integers(1, 5),
)
def test_every_due_instant_is_decided_exactly_once(
    missed: MissedPolicy, cron: str, since: int, passed: int, runs: int
) -> None:
    parts: dict[str, Any] = {"missed": missed, "max_catch_up_runs": runs}
    rule = every(420.0, **parts) if cron == "every" else daily(cron=cron, **parts)
    rule_since = instants.first_after(rule, at("10-24 00:00") + timedelta(minutes=since))
    assert rule_since is not None
    now = rule_since + timedelta(minutes=passed)
    decided: list[datetime] = []
    due: datetime | None = rule_since
    while due is not None and (choice := choose(rule, due, now, 120.0)) is not None:
        for row in choice.not_fired:
            covered = instants.between(rule, row.first - timedelta(seconds=1), row.last, 10_000)
            assert len(covered) == row.count
            decided += covered
        decided += [choice.fire] if choice.fire else []
        assert max(decided) == choice.decided_to
        due = instants.first_after(rule, choice.decided_to)
    everything = instants.between(rule, rule_since - timedelta(seconds=1), now, 10_000)
    assert sorted(decided) == everything


def test_ten_years_of_minutes_are_caught_up_without_walking_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walked, between = [], instants.between

    def walk(rule: Rule, after: datetime, until: datetime | None, limit: int) -> list[datetime]:
        walked.append(limit)
        return between(rule, after, until, limit)

    monkeypatch.setattr(instants, "between", walk)
    ten_years = timedelta(days=3650)
    rule = daily(
        cron=MINUTELY,
        missed=MissedPolicy.CATCH_UP_ALL,
        max_catch_up_age_seconds=ten_years.total_seconds(),
    )
    found = choose(rule, at("03-01 02:00") - ten_years, at("03-01 02:00"), 120.0)
    assert found is not None
    assert found.fire == at("03-01 01:51")
    assert sum(row.count for row in found.not_fired) == 3650 * 24 * 60 - 9
    assert max(walked) <= 6 * 60
