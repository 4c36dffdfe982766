"""The plan for one due schedule."""

from typing import Any

from tests.policy.rules import at, daily, once
from tick.policy import planner
from tick.policy.planner import Cursor, OverlapDecision, Plan
from tick.policy.rule import Rule
from tick.policy.windows import Window
from tick.states import MissedPolicy, Outcome, OverlapPolicy

HOURLY = "0 * * * *"


def planned(rule: Rule, since: str, now: str, **cursor: Any) -> Plan:
    return planner.plan(rule, Cursor(at(since), **cursor), at(now), 60.0)


def throttled(rule: Rule, since: str, now: str, **cursor: Any) -> Plan:
    stands = Cursor(at(since), **cursor)
    plan = planner.plan(rule, stands, at(now), 60.0)
    return planner.throttle(rule, stands, plan, at(now), 60.0)


def outcomes(plan: Plan) -> list[tuple[Outcome, int]]:
    return [(row.outcome, row.count) for row in plan.not_fired]


def test_a_due_instant_fires_and_the_next_one_is_known() -> None:
    plan = planned(daily(), "03-01 02:00", "03-01 02:00:20")
    assert (plan.fire, plan.verdict) == (at("03-01 02:00"), OverlapDecision.FIRE)
    assert (plan.decided_to, plan.next_run_at) == (at("03-01 02:00"), at("03-02 02:00"))


def test_a_schedule_that_is_woken_too_early_waits_for_its_first_instant() -> None:
    plan = planned(daily(), "03-01 01:00", "03-01 01:30")
    assert (plan.fire, plan.not_fired, plan.next_run_at) == (None, (), at("03-01 02:00"))


def test_an_unfinished_occurrence_makes_the_instant_skipped() -> None:
    plan = planned(daily(), "03-01 02:00", "03-01 02:00", live=1)
    assert (plan.fire, outcomes(plan)) == (None, [(Outcome.SKIPPED_OVERLAP, 1)])
    assert plan.next_run_at == at("03-02 02:00")


def test_a_missed_instant_is_missed_even_while_an_earlier_one_lives() -> None:
    plan = planned(daily(), "03-01 02:00", "03-01 04:00", live=1)
    assert outcomes(plan) == [(Outcome.MISSED, 1)]


def test_queue_one_fires_behind_one_and_skips_behind_two() -> None:
    rule = daily(overlap=OverlapPolicy.QUEUE_ONE)
    assert (
        planned(rule, "03-01 02:00", "03-01 02:00", live=1).verdict
        is OverlapDecision.WAIT_FOR_BLOCKER
    )
    assert planned(rule, "03-01 02:00", "03-01 02:00", live=2).fire is None


def test_catch_up_all_waits_while_an_earlier_one_lives() -> None:
    rule = daily(cron=HOURLY, missed=MissedPolicy.CATCH_UP_ALL)
    plan = planned(rule, "03-01 02:00", "03-01 05:30", live=1)
    assert (plan.fire, plan.not_fired, plan.next_run_at) == (None, (), at("03-01 02:00"))
    assert plan.decided_to < at("03-01 02:00")
    assert planner.is_left_over(plan, at("03-01 05:30"))


def test_a_firing_by_hand_is_skipped_rather_than_queued() -> None:
    rule = daily(missed=MissedPolicy.CATCH_UP_ALL)
    asked = at("03-01 02:00")
    plan = planned(rule, "03-01 02:00", "03-01 09:00", live=1, requested_instant=asked)
    assert outcomes(plan) == [(Outcome.SKIPPED_OVERLAP, 1)]


def test_an_old_request_does_not_make_later_instants_fire_late() -> None:
    plan = planned(daily(), "03-02 02:00", "03-02 09:00", requested_instant=at("03-01 02:00"))
    assert outcomes(plan) == [(Outcome.MISSED, 1)]


def test_the_last_of_a_limited_number_of_runs_leaves_no_next_one() -> None:
    rule = daily(max_runs=3)
    assert planned(rule, "03-01 02:00", "03-01 02:00", fired=1).next_run_at == at("03-02 02:00")
    last = planned(rule, "03-01 02:00", "03-01 02:00", fired=2)
    assert (last.fire, last.next_run_at) == (at("03-01 02:00"), None)


def test_a_used_up_limit_fires_nothing_more() -> None:
    plan = planned(daily(max_runs=3), "03-01 02:00", "03-01 02:00", fired=3)
    assert (plan.fire, plan.next_run_at) == (None, None)
    assert outcomes(plan) == [(Outcome.SUPPRESSED, 1)]
    assert plan.not_fired[0].reason == "its limit of 3 runs was used up"


def test_a_missed_or_skipped_instant_uses_up_no_run() -> None:
    rule = daily(max_runs=1)
    assert planned(rule, "03-01 02:00", "03-01 09:00").next_run_at == at("03-02 02:00")
    assert planned(rule, "03-01 02:00", "03-01 02:00", live=1).next_run_at == at("03-02 02:00")


def test_a_single_instant_has_no_next_one() -> None:
    plan = planned(once(at("03-01 02:00")), "03-01 02:00", "03-01 02:01")
    assert (plan.fire, plan.next_run_at) == (at("03-01 02:00"), None)


def test_under_the_brake_an_instant_in_grace_waits_for_the_next_tick() -> None:
    plan = throttled(daily(), "03-01 02:00", "03-01 02:01")
    assert (plan.fire, plan.not_fired, plan.next_run_at) == (None, (), at("03-01 02:00"))


def test_under_the_brake_an_instant_whose_grace_ends_is_held() -> None:
    plan = throttled(daily(), "03-01 02:00", "03-01 02:01:01")
    assert outcomes(plan) == [(Outcome.HELD, 1)]
    assert plan.next_run_at == at("03-02 02:00")


def test_under_the_brake_what_catches_up_waits_however_late() -> None:
    rule = daily(missed=MissedPolicy.CATCH_UP)
    assert throttled(rule, "03-01 02:00", "03-01 09:00").next_run_at == at("03-01 02:00")


def test_the_brake_leaves_alone_what_fires_nothing_or_was_asked_for() -> None:
    assert outcomes(throttled(daily(), "03-01 02:00", "03-01 09:00")) == [(Outcome.MISSED, 1)]
    asked = at("03-01 02:00")
    assert throttled(daily(), "03-01 02:00", "03-01 09:00", requested_instant=asked).fire == asked


def test_over_the_run_limit_older_instants_are_decided_and_the_newest_waits() -> None:
    plan = throttled(daily(cron="* * * * *"), "03-01 01:50", "03-01 02:00:10")
    assert outcomes(plan) == [(Outcome.MISSED, 9), (Outcome.COALESCED, 1)]
    assert (plan.fire, plan.next_run_at) == (None, at("03-01 02:00"))
    assert plan.throttled


def test_a_window_that_put_a_late_one_off_is_why_it_could_not_be_caught_up() -> None:
    rule = daily(missed=MissedPolicy.CATCH_UP, max_catch_up_age_seconds=3600.0)
    window = Window(1, at("03-01 03:00"), at("03-01 09:00"), "new disks", "anna")
    stopped = planner.plan(rule, Cursor(at("03-01 02:00")), at("03-01 03:00"), 60.0, [window])
    assert not stopped.throttled
    later = Cursor(at("03-01 02:00"), deferral=stopped.deferral)
    (missed,) = planner.plan(rule, later, at("03-01 09:00"), 60.0).not_fired
    assert missed.outcome is Outcome.MISSED
    assert missed.reason.startswith("it could not be caught up before: ")
