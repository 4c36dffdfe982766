"""From where on a rule decides by other zone data, around the clock changes of both."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.zones import released, shifted
from tick.cron.zone_data import Zone, current
from tick.policy import instants
from tick.policy.rule import Rule
from tick.policy.zone_moves import go_on_after
from tick.states import ScheduleKind

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def installed() -> Zone:
    return current().zone(BERLIN)


def staying(since: str, hours: float) -> Zone:
    """Berlin in a release where its clocks stay so many hours east from that instant on."""
    return released("2099a", {BERLIN: shifted(BERLIN, at(since), hours)}).zone(BERLIN)


def next_after_change(cron: str, old: Zone, new: Zone, decided_to: str, **options: Any) -> datetime:
    """The first instant under `new`, when the rule had decided to there under `old`."""
    rule = Rule(kind=ScheduleKind.CRON, cron=cron, timezone=BERLIN, zone=old, **options)
    following = replace(rule, zone=new)
    found = instants.first_after(following, go_on_after(rule, following, at(decided_to)))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fold", "following"),
    [("first", "08-31T00:59"), ("second", "08-31T00:59"), ("both", "08-30T00:59")],
)
def test_a_decided_time_repeats_in_a_new_fold_only_with_fold_both(
    fold: str, following: str
) -> None:
    goes_back = staying("08-30T00:00", 1)
    assert next_after_change("59 1 * * *", installed(), goes_back, "08-29T23:59", fold=fold) == at(
        following
    )


@pytest.mark.parametrize("offset_seconds", [0.0, 613.0])
def test_instants_of_the_first_pass_do_not_repeat_without_the_fold(
    offset_seconds: float,
) -> None:
    # 02:45 was decided at 00:45; at 01:20 the clocks show 02:20 or less for the second time.
    no_fold = staying("10-20T00:00", 1)
    following = next_after_change(
        "45 2 * * *", installed(), no_fold, "10-25T01:20", offset_seconds=offset_seconds
    )
    assert following.date() == at("10-26T00:00").date()


def test_instants_of_the_second_pass_are_due_without_the_fold() -> None:
    no_fold = staying("10-20T00:00", 1)
    assert next_after_change(
        "30 2 * * *", installed(), no_fold, "10-25T00:45", fold="second"
    ) == at("10-25T01:30")


def test_a_leap_does_not_make_up_for_a_time_that_was_decided_before_it() -> None:
    leapt_before = staying("03-28T00:00", 2)
    assert next_after_change("30 2 * * *", leapt_before, installed(), "03-29T00:30") == at(
        "03-30T00:30"
    )


@pytest.mark.parametrize("cron", ["15,30 2 * * *", "15,30 1,2 * * *"])
def test_of_two_leapt_times_the_undecided_later_one_is_made_up(
    cron: str,
) -> None:
    leapt_before = staying("03-28T00:00", 2)
    assert next_after_change(cron, leapt_before, installed(), "03-29T00:15") == at("03-29T01:00")


def test_times_right_after_a_leap_are_due_beside_a_decided_leapt_time() -> None:
    half_way = staying("03-28T00:00", 1.5)
    assert next_after_change("45 2,3 * * *", half_way, installed(), "03-29T01:15") == at(
        "03-29T01:45"
    )
