"""Rules and targets in words, broken ones included."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.factories import a_job, a_schedule
from tick.define import alerts
from tick.define.month_days import business_day, last_day, last_weekday, nearest_weekday
from tick.define.registry import build_registry
from tick.define.schedules import Schedule
from tick.define.steps import days, months, weeks
from tick.engine.schedules.targets import build_target
from tick.ops.queries.descriptions import (
    describe_alert,
    describe_target,
    describe_timing,
    next_instants,
)

EVERY_TWO_DAYS = "Every 2 days at 09:00, counted from 1970-01-01"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
JOBS = [a_job("match-scores"), a_job("compatibility"), a_job("trending", group="feed")]


@pytest.mark.parametrize(
    ("schedule", "words", "expression"),
    [
        (a_schedule(cron="0 2 * * *"), "At 02:00", "0 2 * * *"),
        (a_schedule(cron="*/15 * * * *"), "Every 15 minutes", "*/15 * * * *"),
        (a_schedule(every=timedelta(hours=1)), "Every hour", None),
        (a_schedule(every=timedelta(minutes=90)), "Every 90 minutes", None),
        (a_schedule(every=days(2, at="09:00")), EVERY_TWO_DAYS, None),
        (a_schedule(every=days(at="09:00")), "Every day at 09:00", None),
        (a_schedule(every=weeks(on="tue")), "Every week on Tuesday at 00:00", None),
        (a_schedule(every=months(on=31)), "Every month on the last day at 00:00", None),
        (a_schedule(every=months(on=30)), "Every month on day 30 or the last day at 00:00", None),
        (
            a_schedule(every=weeks(2, at="07:30"), anchor=date(2027, 1, 4)),
            "Every 2 weeks on Monday at 07:30, counted from 2027-01-04",
            None,
        ),
        (
            a_schedule(every=months(1), anchor=date(2027, 1, 4)),
            "Every month on day 4 at 00:00, counted from 2027-01-04",
            None,
        ),
        (
            a_schedule(every=months(on=business_day(3), at="02:00")),
            "Every month on the 3rd business day at 02:00",
            None,
        ),
        (
            a_schedule(every=months(2, on=business_day(-22)), anchor=date(2027, 1, 4)),
            "Every 2 months on the 22nd last business day at 00:00, not in months without one, "
            "counted from 2027-01-04",
            None,
        ),
        (
            a_schedule(every=months(on=last_day(-1))),
            "Every month 1 day before its last day at 00:00",
            None,
        ),
        (
            a_schedule(every=months(on=nearest_weekday(31))),
            "Every month on the weekday nearest to day 31 at 00:00, not in months without one",
            None,
        ),
        (
            a_schedule(every=months(on=last_weekday())),
            "Every month on the last weekday at 00:00",
            None,
        ),
        (a_schedule(at=NOW), "Once, at 2026-03-01 12:00 UTC", None),
    ],
)
def test_when_it_fires(schedule: Schedule, words: str, expression: str | None) -> None:
    timing = describe_timing(schedule.rule().to_json())
    assert (timing.words, timing.expression) == (words, expression)


def test_a_step_of_the_local_calendar_is_told_with_its_zone() -> None:
    berlin = a_schedule(every=days(at="09:00"), timezone="Europe/Berlin")
    said = describe_timing(berlin.rule().to_json()).with_zone
    assert said == "Every day at 09:00 (Europe/Berlin)"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"mode": "ALL_JOBS"}, "All 3 jobs"),
        ({"mode": "GROUP", "job_group": "matching"}, "Group matching, 2 jobs"),
        ({"mode": "SINGLE_JOB", "job": "trending"}, "Job trending"),
        ({"mode": "CUSTOM", "jobs": ("trending", "match-scores")}, "trending, match-scores"),
    ],
)
def test_what_it_runs(parts: dict[str, object], words: str) -> None:
    schedule = a_schedule(**parts)
    target = build_target(build_registry(JOBS, [schedule]), schedule.target())
    assert describe_target(str(schedule.mode), target.to_json()).words == words


@pytest.mark.parametrize(
    "rule",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        json.dumps({"kind": "CRON", "cron": "0 2 * * *", "timezone": "Mars/Olympus"}),
        json.dumps({"kind": "CRON", "cron": "61 * * * *"}),
        json.dumps({"kind": "NEVER"}),
        json.dumps({"kind": "CRON", "surprise": 1}),
    ],
)
def test_a_rule_that_cannot_be_read_is_described_and_has_no_next_instant(rule: str | None) -> None:
    assert describe_timing(rule).mistake
    assert next_instants(rule, NOW, 3) == []


@pytest.mark.parametrize("target", [None, "", "{}", "[]", '{"jobs": 1}', '{"jobs": [{}]}'])
def test_a_target_that_cannot_be_read_is_described(target: str | None) -> None:
    assert describe_target("ALL_JOBS", target).words == "Cannot be read"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (alerts.Failed(), "it failed"),
        (alerts.Failed(after=3), "it failed 3 times in a row"),
        (alerts.RunsLong(), "it runs for more than 3 times its usual longest"),
        (alerts.RunsLong(than=timedelta(hours=1)), "it runs for more than 1 hour"),
    ],
)
def test_when_an_alert_speaks(rule: alerts.Rule, words: str) -> None:
    assert describe_alert(rule) == words


def test_the_next_instants_are_those_that_would_fire() -> None:
    rule = a_schedule(cron="0 2 * * *").rule().to_json()
    assert [f"{instant:%d %H:%M}" for instant in next_instants(rule, NOW, 2)] == [
        "02 02:00",
        "03 02:00",
    ]
