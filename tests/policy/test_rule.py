"""A rule travels as JSON and comes back the same."""

from datetime import timedelta, timezone

import pytest

from tests.policy.rules import at, daily, every, once
from tick.cron.local_times import Dst
from tick.policy.rule import Rule
from tick.states import MissedPolicy, OverlapPolicy


@pytest.mark.parametrize(
    "rule",
    [
        daily(),
        daily(timezone="Europe/Berlin", gap="skip", fold="both", offset_seconds=12.0),
        daily(starts_at=at("03-01 00:00"), ends_at=at("04-01 00:00"), max_runs=3),
        daily(missed=MissedPolicy.CATCH_UP_ALL, overlap=OverlapPolicy.REPLACE, grace_seconds=5.0),
        every(90.0, anchor=at("01-01 00:00")),
        once(at("05-05 05:05")),
    ],
    ids=lambda rule: rule.to_json(),
)
def test_a_rule_comes_back_from_json_as_it_was(rule: Rule) -> None:
    assert Rule.from_json(rule.to_json()) == rule


def test_defaults_are_left_out_so_that_new_fields_change_no_old_rule() -> None:
    assert daily().to_json() == '{"cron":"0 2 * * *","kind":"CRON"}'


def test_an_instant_in_another_zone_gives_the_same_text() -> None:
    noon = at("05-05 12:00")
    assert once(noon.astimezone(timezone(timedelta(hours=5)))).to_json() == once(noon).to_json()


def test_a_rule_that_this_release_cannot_read_is_refused() -> None:
    with pytest.raises(TypeError):
        Rule.from_json('{"kind":"CRON","cron":"0 2 * * *","lunar":true}')
    with pytest.raises(ValueError, match="LUNAR"):
        Rule.from_json('{"kind":"LUNAR"}')


def test_the_choice_for_clock_changes_is_one_value() -> None:
    assert daily(gap="skip", fold="second").dst == Dst(gap="skip", fold="second")
