"""Which clock changes touch a schedule, told a year ahead."""

from datetime import UTC, datetime

import pytest

from tests.policy.rules import at, daily, every
from tick.policy.clock_changes import clock_changes
from tick.policy.rule import Rule

SPRING, AUTUMN = at("03-29 01:00"), at("10-25 01:00")


def found(rule: Rule) -> list[tuple[datetime, str]]:
    return [
        (day, effect.partition(": ")[2])
        for day, effect in clock_changes(rule, at("01-01 00:00"), at("12-31 00:00"))
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
    ("cron", "zone", "day"),
    [
        ("*/30 2 * * *", "Europe/Berlin", "2026-03-29"),
        ("* 2 * * *", "Europe/Berlin", "2026-03-29"),
        ("*/30 2 * * SUN", "America/New_York", "2026-03-08"),
        ("*/10 0 * * *", "America/Asuncion", "2023-10-01"),
        ("0 9 * * *", "Pacific/Apia", "2011-12-30"),
        ("*/20 * * * *", "Pacific/Apia", "2011-12-30"),
        ("0 0 30 * *", "Pacific/Kwajalein", None),
        ("*/30 2,5 * * *", "Europe/Berlin", None),
        ("*/30 2 * * MON", "Europe/Berlin", None),
    ],
)
def test_a_local_day_that_loses_all_its_times_is_named(
    cron: str, zone: str, day: str | None
) -> None:
    year = int((day or "2026")[:4])
    start = datetime(year, 1, 1, tzinfo=UTC)
    for share in (0.0, 7200.0):
        rule = daily(cron=cron, timezone=zone, offset_seconds=share)
        told = [
            effect
            for _, effect in clock_changes(rule, start, datetime(year + 1, 1, 1, tzinfo=UTC))
            if "that day" in effect
        ]
        expected = f"the clock leaps over all its times of {day}: it does not fire that day"
        assert told == ([] if day is None else [expected])


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
