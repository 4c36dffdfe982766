"""Which clock changes touch a schedule, told a year ahead."""

from datetime import datetime

import pytest

from tests.policy.rules import at, daily, every
from tick.policy.clock_changes import clock_changes
from tick.policy.rule import Rule

SPRING, AUTUMN = at("03-29 01:00"), at("10-25 01:00")


def found(rule: Rule) -> list[tuple[datetime, str]]:
    return [
        (change.at, change.effect.partition(": ")[2])
        for change in clock_changes(rule, at("01-01 00:00"), at("12-31 00:00"))
    ]


@pytest.mark.parametrize(
    ("parts", "changes"),
    [
        ({}, [(SPRING, "it fires at the first valid minute"), (AUTUMN, "it fires the first time")]),
        ({"gap": "skip"}, [(SPRING, "it does not fire"), (AUTUMN, "it fires the first time")]),
        (
            {"fold": "second"},
            [(SPRING, "it fires at the first valid minute"), (AUTUMN, "it fires the second time")],
        ),
        (
            {"fold": "both"},
            [(SPRING, "it fires at the first valid minute"), (AUTUMN, "it fires both times")],
        ),
    ],
)
def test_half_past_two_in_berlin_is_touched_twice_a_year(
    parts: dict[str, str], changes: list[tuple[datetime, str]]
) -> None:
    assert found(daily(cron="30 2 * * *", timezone="Europe/Berlin", **parts)) == changes


@pytest.mark.parametrize(
    "rule",
    [
        daily(cron="30 4 * * *", timezone="Europe/Berlin"),
        daily(cron="*/15 * * * *", timezone="Europe/Berlin"),
        daily(cron="30 2 * * 1", timezone="Europe/Berlin"),
        daily(cron="30 2 * * *", timezone="UTC"),
        every(3600.0),
    ],
    ids=lambda rule: rule.to_json(),
)
def test_other_times_are_not_touched(rule: Rule) -> None:
    assert found(rule) == []
