"""Accepted means used: an option that would have no effect where it stands is a mistake."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.define.test_mistakes import mistakes, of_schedule
from tests.support.factories import a_job, a_schedule
from tick import Calendar, Retry, Skip, alerts, business_day, command, days, http, job, months
from tick.define.calendar_days import expand, with_days
from tick.define.jobs import ATTRIBUTE, JobDefinition
from tick.define.mistakes import find
from tick.define.registry import build_registry

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"every": DAY, "timezone": BERLIN}, "timezone has no effect beside every"),
        ({"every": days(2), "dst_gap": "skip"}, "dst_gap has no effect in UTC"),
        (
            {"every": days(2), "anchor": JUNE.date(), "starts_at": JUNE - DAY},
            "starts_at has no effect before anchor",
        ),
        ({"at": JUNE, "timezone": BERLIN}, "timezone has no effect beside at"),
        ({"every": DAY, "dialect": "celery"}, "dialect has no effect without cron"),
        (
            {"cron": "0 2 * * *", "timezone": BERLIN, "dialect": "celery", "dst_gap": "skip"},
            "dst_gap has no effect beside dialect",
        ),
        ({"anchor": JUNE}, "anchor has no effect without every"),
        ({"at": JUNE, "anchor": JUNE}, "anchor has no effect without every"),
        ({"every": DAY, "dst_gap": "skip"}, "dst_gap has no effect without cron"),
        ({"at": JUNE, "dst_fold": "both"}, "dst_fold has no effect without cron"),
        (
            {"cron": "*/30 2 * * *", "timezone": BERLIN, "dst_gap": "first_valid"},
            "or write fixed times: '0,30 2 * * *'.",
        ),
        (
            {"cron": "* 2 * * *", "timezone": BERLIN, "dst_fold": "first"},
            "or write fixed times: '0-59 2 * * *'.",
        ),
        (
            {"cron": "5 */6 * * 1", "timezone": BERLIN, "dst_gap": "skip"},
            "or write fixed times: '5 0,6,12,18 * * 1'.",
        ),
        (
            {"cron": "0 * * * *", "timezone": BERLIN, "dst_fold": "both"},
            "or write fixed times: '0 0-23 * * *'.",
        ),
        ({"dst_gap": "skip"}, "dst_gap has no effect in UTC, whose clocks never change"),
        ({"timezone": "Etc/GMT+5", "dst_fold": "both"}, "dst_fold has no effect in Etc/GMT+5"),
        ({"at": JUNE, "jitter": 600}, "jitter has no effect beside at"),
        ({"jitter": 1}, "jitter 1 has no effect: every instant moves by less than it"),
        ({"cron": "0 * * * *", "jitter": 3601}, "jitter 3601 is longer than the 3600 seconds"),
        ({"every": HOUR, "jitter": 7200}, "jitter 7200 is longer than the 3600 seconds"),
        ({"at": JUNE, "starts_at": JUNE}, "starts_at has no effect beside at"),
        ({"at": JUNE, "ends_at": JUNE}, "ends_at has no effect beside at"),
        ({"at": JUNE, "max_runs": 1}, "max_runs has no effect beside at"),
        (
            {"every": DAY, "anchor": JUNE, "starts_at": JUNE},
            "starts_at has no effect before anchor",
        ),
        ({"starts_at": JUNE, "ends_at": JUNE - DAY}, "ends_at is before starts_at; swap them"),
        ({"max_catch_up_age": 86400}, 'max_catch_up_age has no effect beside missed="SKIP"'),
        ({"max_catch_up_runs": 10}, 'max_catch_up_runs has no effect beside missed="SKIP"'),
        (
            {"missed": "CATCH_UP", "max_catch_up_runs": 10},
            'max_catch_up_runs has no effect beside missed="CATCH_UP"',
        ),
        (
            {"at": JUNE, "missed": "CATCH_UP_ALL", "max_catch_up_runs": 2},
            "max_catch_up_runs has no effect beside at",
        ),
        (
            {"missed": "CATCH_UP", "max_catch_up_age": 120},
            "max_catch_up_age 120 has no effect within grace, which is at least 120",
        ),
        (
            {"missed": "CATCH_UP_ALL", "grace": 3600, "max_catch_up_age": 3600},
            "max_catch_up_age 3600 has no effect within grace, which is 3600",
        ),
        ({"grace": 0}, "grace must be at least 1."),
        ({"max_concurrent": 0}, "max_concurrent must be at least 1."),
        (
            {"overlap": "ALLOW", "max_concurrent": 3},
            'max_concurrent has no effect beside overlap="ALLOW", which lets any number run',
        ),
        ({"deadline": 0.5}, "deadline must be at least 1."),
        ({"deadline": "1h"}, "deadline must be a number of seconds, not '1h'."),
        ({"timeout": 0}, "timeout must be more than 0 seconds."),
        (
            {"timeout": 600, "deadline": 600},
            "timeout 600 has no effect within deadline 600, which ends the whole firing before",
        ),
        ({"retries": -1}, "retries must be at least 0."),
        ({"retries": 1.5}, "retries must be a whole number, not 1.5."),
        ({"priority": "high"}, "priority must be a whole number, not 'high'."),
        ({"pause_after": 0}, "pause_after must be at least 1."),
        ({"at": JUNE, "pause_after": 1}, "pause_after has no effect beside at"),
        (
            {"max_runs": 3, "pause_after": 3},
            "pause_after 3 has no effect beside max_runs 3, after which it fires no more anyway",
        ),
        ({"dst_gap": ""}, "dst gap ''"),
        ({"renamed_from": 5}, "renamed_from must be a text, not 5."),
        (
            {"alerts": (alerts.RunsLong(than=HOUR, factor=5),)},
            "alerts: runs-long factor has no effect beside than",
        ),
    ],
    ids=str,
)
def test_a_schedules_option_without_effect_is_a_mistake_with_its_fix(
    parts: dict[str, Any], said: str
) -> None:
    assert said in of_schedule(**parts)


def test_a_business_day_of_the_calendar_needs_no_rule_for_its_days() -> None:
    plant = expand([Calendar("plant", weekend=["sun"])])
    parts = {"every": months(on=business_day(3)), "calendar": "plant", "day_rule": "ONLY_HOLIDAYS"}
    (said,) = find([a_job("a")], [with_days(a_schedule(**parts, job="a"), plant)], plant)
    assert "day_rule has no effect beside a step on a business day, which is one by itself" in said


@pytest.mark.parametrize(
    "parts",
    [
        {"timezone": "UTC", "every": DAY},
        {"timezone": BERLIN, "dst_gap": "skip", "dst_fold": "both"},
        {"cron": "0,30 2 * * *", "timezone": BERLIN, "dst_gap": "first_valid"},
        {"cron": "H 2 * * *", "timezone": BERLIN, "dst_gap": "skip"},
        {"at": datetime(2026, 6, 1, 9, tzinfo=ZoneInfo(BERLIN))},
        {"at": JUNE, "missed": "CATCH_UP", "max_catch_up_age": 7 * 86400},
        {"every": DAY, "anchor": JUNE, "starts_at": JUNE + HOUR, "ends_at": JUNE + 9 * DAY},
        {"every": HOUR, "jitter": 3600},
        {"cron": "0 * * * *", "jitter": 3600, "max_runs": 3},
        {"starts_at": JUNE, "ends_at": JUNE + DAY},
        {"missed": "CATCH_UP_ALL", "max_catch_up_runs": 3, "max_catch_up_age": 3600},
        {"alerts": (alerts.RunsLong(than=HOUR),)},
        {"alerts": (alerts.RunsLong(factor=5),)},
        {"max_concurrent": 1},
        {"retries": 0, "priority": 0, "timeout": 599, "deadline": 600},
        {"overlap": "QUEUE_ONE", "max_concurrent": 3, "max_runs": 3, "pause_after": 2},
        {"at": JUNE, "deadline": 60, "retries": 2},
    ],
    ids=str,
)
def test_an_option_that_has_an_effect_is_no_mistake(parts: dict[str, Any]) -> None:
    build_registry([a_job("good")], [a_schedule(**parts)])


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"backoff": 60}, "backoff has no effect without retries; give retries, or leave it out."),
        ({"retries": 0, "max_backoff": 60}, "max_backoff has no effect without retries"),
        ({"retries": 2, "backoff": 900}, "backoff has no effect beyond max_backoff, which is 600"),
        ({"always": True}, "always has no effect without depends_on"),
        ({"unique": "job", "max_concurrent": 2}, 'no effect beside unique="job"'),
        ({"depends_on": "good"}, "depends_on is the text 'good'; write a list of names: ['good']."),
        ({"depends_on": ["good", "good"]}, "depends_on names 'good' more than once; leave one."),
        ({"depends_on": ["good"], "tolerates": "good"}, "tolerates is the text 'good'"),
        ({"retries": "3"}, "retries must be a whole number, not '3'."),
        ({"retries": True}, "retries must be a whole number, not True."),
        ({"timeout": "60"}, "timeout must be a number of seconds, not '60'."),
        ({"priority": 1.5}, "priority must be a whole number, not 1.5."),
        ({"max_concurrent": 0}, "max_concurrent must be at least 1."),
        ({"queue": ""}, "queue '' must be a text"),
        ({"queue": None}, "queue None must be a text"),
        ({"group": 5}, "group 5 must be lower-case letters"),
        ({"name": 5}, "name must be a text, not 5."),
        ({"isolation": "none"}, "isolation 'none' is none of process, thread."),
    ],
    ids=str,
)
def test_a_jobs_option_without_effect_is_a_mistake_with_its_fix(
    policy: dict[str, Any], said: str
) -> None:
    @job(**({"group": "matching"} | policy))
    def mistaken() -> None:
        """Does nothing."""

    assert said in of_job(mistaken)


def of_job(function: object) -> str:
    """The one mistake of a declared job, without where it is."""
    definition: JobDefinition = getattr(function, ATTRIBUTE)
    (text,) = mistakes(definition)
    return text.partition(f"job {definition.name!r}: ")[2]


def test_generators_and_async_conditions_are_refused_as_jobs() -> None:
    @job(group="matching")
    def lines() -> Any:
        yield 1

    async def is_open() -> bool:
        return True

    @job(group="matching", when=is_open)
    def later() -> None:
        """Never asked."""

    assert "its function yields, so calling it would run none of it" in of_job(lines)
    assert "when is an async function, which nobody awaits" in of_job(later)


def test_a_parameter_that_can_not_be_given_by_name_is_a_mistake() -> None:
    def both(x: int = 1, /, **others: int) -> None:
        """Would run with x=1 whatever it is given."""

    def first(x: int, y: int = 2, /, z: int = 3) -> None:
        """Could not be called at all."""

    for function in (both, first):
        (found,) = mistakes(a_job("fixed", function=function))
        assert "parameter 'x' of its function can't be given by name" in found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"argv": "df -h"}, 'write a list, ["program", "argument"], or add shell=True'),
        ({"argv": ["df", "-h"], "shell": True}, "with shell=True argv is one text"),
        ({"argv": 5, "shell": True}, "with shell=True argv is one text"),
        ({"argv": ["df"], "exit_codes": {"75": Skip("x")}}, "exit code '75' is no number"),
        ({"argv": ["df"], "exit_codes": {256: Skip("x")}}, "exit code 256 never comes"),
        ({"argv": ["df"], "exit_codes": {0: None}}, "exit code 0 means success anyway"),
        ({"argv": ["df"], "exit_codes": {75: Retry(60)}}, "has no effect without retries"),
        ({"argv": ["df"], "exit_codes": {75: Skip}}, "use Retry, Cancel, Snooze, Skip or None"),
        ({"argv": ["df"], "env": {"N": 5}}, "env N is 5; write a text."),
    ],
    ids=str,
)
def test_a_commands_option_without_effect_is_a_mistake_with_its_fix(
    options: dict[str, Any], said: str
) -> None:
    assert said in of_job(command("disk", group="maintenance", **options))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"expect": 200}, "expect is 200; write a list of statuses, such as [200, 404]."),
        ({"expect": ["200"]}, "expect holds '200', which is no status"),
        ({"expect": [20]}, "expect holds 20, which is no status"),
        ({"expect": [302], "redirects": 2}, "expect 302 has no effect beside redirects=2"),
        ({"redirects": -1}, "redirects must be at least 0."),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "the header X-A is given more than once"),
        ({"headers": {"X-A": 5}}, "the header X-A is 5; write a text."),
    ],
    ids=str,
)
def test_a_requests_option_without_effect_is_a_mistake_with_its_fix(
    options: dict[str, Any], said: str
) -> None:
    assert said in of_job(http("ping", url="https://example.com/", group="search", **options))


def test_a_shell_reads_one_text() -> None:
    piped: JobDefinition = getattr(
        command("piped", "df -h | tail", group="maintenance", shell=True),  # noqa: S604
        ATTRIBUTE,
    )
    assert piped.description == "df -h | tail"
    build_registry([piped], [])


def test_a_job_without_parentheses_or_group_is_told_what_to_write() -> None:
    untyped: Any = job
    for wrong in (lambda: untyped(mistakes), lambda: untyped(), lambda: untyped("feed")):
        with pytest.raises(TypeError, match=r'write @job\(group="feed"\) above the function'):
            wrong()
