"""Every mistake in the definitions is told at once, each with its file and what to do."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.support.factories import a_job, a_schedule
from tick.define.jobs import JobDefinition
from tick.define.month_days import business_day, last_day, nearest_weekday
from tick.define.registry import build_registry
from tick.define.schedules import Schedule
from tick.define.steps import days, months, weeks
from tick.errors import DefinitionsInvalid

NEVER = datetime.max.replace(tzinfo=timezone(-timedelta(hours=5)))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def mistakes(*things: JobDefinition | Schedule) -> tuple[str, ...]:
    """What is wrong with these definitions beside one good job."""
    jobs = [a_job("good"), *(thing for thing in things if isinstance(thing, JobDefinition))]
    schedules = [thing for thing in things if isinstance(thing, Schedule)]
    with pytest.raises(DefinitionsInvalid) as caught:
        build_registry(jobs, schedules)
    return caught.value.mistakes


def of_schedule(**parts: Any) -> str:
    """The one mistake of a schedule, without where it is."""
    (text,) = mistakes(a_schedule(**parts))
    where, _, said = text.partition(": schedule 'daily': ")
    assert where == "tests:1"
    return said


def test_good_definitions_have_no_mistake() -> None:
    registry = build_registry([a_job("good")], [a_schedule()])
    assert (list(registry.jobs), list(registry.schedules)) == (["good"], ["daily"])


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(
        a_job("Bad Name"),
        a_job("a", depends_on=["b"]),
        a_job("b", depends_on=["a"]),
        a_schedule("one", cron="61 * * * *"),
        a_schedule("two", mode="GROUP", job_group="machting"),
        a_schedule("three", timezone="Europe/Bonn"),
    )
    assert len(found) == 5
    assert all(text.startswith("tests:1: ") for text in found)


def test_the_error_counts_and_lists_them() -> None:
    with pytest.raises(DefinitionsInvalid) as caught:
        build_registry(
            [a_job("a", retries=-1)], [a_schedule(every=timedelta(hours=1), cron="@daily")]
        )
    assert str(caught.value).splitlines()[0] == "2 mistakes in the definitions:"
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (a_job("Upper"), "job 'Upper': use lower-case letters, digits, dots and dashes"),
        (a_job("x" * 101), "at most 100 characters"),
        (a_job("good"), "job 'good' is defined more than once; rename all but one"),
        (a_job("j", group="Big Group"), "group 'Big Group' must be lower-case"),
        (a_job("j", timeout_seconds=0), "timeout must be more than 0 seconds"),
        (a_job("j", retries=101), "retries must be at most 100"),
        (a_job("j", depends_on=["goood"]), "unknown job 'goood' (did you mean 'good'?)"),
        (a_job("j", tolerates=frozenset({"good"})), "tolerates 'good', which its depends_on lacks"),
        (a_job("j", depends_on=["j"]), "jobs wait for each other: j → j; remove one"),
    ],
    ids=lambda value: None if isinstance(value, JobDefinition) else value,
)
def test_a_mistake_in_a_job_is_told_with_its_remedy(job: JobDefinition, said: str) -> None:
    assert any(said in text for text in mistakes(job))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"mode": "SOME"}, "mode 'SOME' is none of ALL_JOBS, GROUP, SINGLE_JOB, CUSTOM."),
        ({"missed": "LATER"}, "missed 'LATER' is none of SKIP, CATCH_UP, CATCH_UP_ALL."),
        ({"overlap": "skip"}, "overlap 'skip' is none of SKIP, QUEUE_ONE, REPLACE, ALLOW."),
        ({"every": timedelta(hours=1), "at": NOON}, "says when by every and at; give exactly one"),
        ({"every": timedelta(seconds=59)}, "every must be at least a minute."),
        ({"at": datetime(2026, 6, 1, 12)}, "at needs a time zone: write datetime(…, tzinfo=UTC)."),
        ({"ends_at": NEVER}, "ends_at lies outside of the years 1 to 9999 in UTC; move it"),
        ({"anchor": NOON}, "anchor has no effect without every, whose first instant it is"),
        ({"cron": "0 2 30 2 *"}, "never comes"),
        ({"cron": "0 0 2 * * *"}, "has 6 fields, not five"),
        ({"timezone": "Europe/Bonn"}, "Europe/Bonn"),
        ({"dst_gap": "jump"}, "first_valid, skip"),
        ({"cron": "0 2 * * *", "dialect": "kron"}, "unknown engine 'kron'"),
        ({"cron": "0 0 * * 7", "dialect": "busybox-crond"}, "busybox-crond refuses weekday '7'"),
        ({"cron": "0/5 0 2 * * ?", "dialect": "quartz"}, "a schedule fires on the minute"),
        ({"cron": "0 2 * * *", "dialect": 7}, "dialect must be a text"),
        ({"dst_fold": "twice"}, "first, second, both"),
        ({"grace": -1.0}, "grace must be at least 1."),
        ({"jitter": 0.5}, "jitter must be whole seconds."),
        ({"max_runs": 0}, "max_runs must be at least 1."),
        ({"max_catch_up_runs": 0}, "max_catch_up_runs must be at least 1."),
        ({"missed": "CATCH_UP", "max_catch_up_age": 0}, "max_catch_up_age must be at least 1."),
        ({"name": "n" * 201}, "name has 201 characters; at most 200 are kept."),
        ({"params": {"since": NOON}}, "params cannot be stored as JSON"),
        (
            {"starts_at": NOON, "ends_at": NOON + timedelta(hours=1)},
            "has no instant between starts_at and ends_at; move one of them.",
        ),
        ({"mode": "GROUP"}, "mode GROUP names no job: set job_group."),
        ({"mode": "GROUP", "job_group": "machting"}, "(did you mean 'matching'?)"),
        ({"mode": "SINGLE_JOB"}, "names no job: set job."),
        ({"mode": "SINGLE_JOB", "job": "goood"}, "job names unknown job 'goood' (did you mean"),
        ({"mode": "CUSTOM"}, "names no job: set jobs."),
        ({"mode": "CUSTOM", "jobs": ("good", "bad")}, "jobs names unknown job 'bad'"),
    ],
    ids=str,
)
def test_a_mistake_in_a_schedule_is_told_with_its_remedy(parts: dict[str, Any], said: str) -> None:
    assert said in of_schedule(**parts)


def test_an_id_that_a_column_cannot_hold_is_refused() -> None:
    assert "at most 50 characters" in mistakes(a_schedule("x" * 51))[0]


def test_ids_must_differ() -> None:
    assert len(mistakes(a_schedule(), a_schedule())) == 2


def test_a_renamed_schedule_must_be_gone_and_is_taken_over_once() -> None:
    old, new = a_schedule(), a_schedule("new", renamed_from="daily")
    assert "renamed_from 'daily' is still defined" in mistakes(old, new)[0]
    found = mistakes(new, a_schedule("other", renamed_from="daily"))
    assert ["another schedule is renamed_from 'daily'" in text for text in found] == [True, True]


def test_all_jobs_of_nothing_is_a_mistake() -> None:
    with pytest.raises(DefinitionsInvalid, match="there are none; define one with @job"):
        build_registry([], [a_schedule()])


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"grace": float("nan")}, "grace must be at most 316224000 seconds, ten years."),
        ({"grace": 1e12}, "grace must be at most 316224000 seconds, ten years."),
        ({"grace": "60"}, "grace must be a number of seconds, not '60'."),
        ({"jitter": float("inf")}, "jitter must be at most"),
        ({"max_catch_up_age": 1e18}, "max_catch_up_age must be at most"),
        ({"every": timedelta(days=900_000)}, "every must be at most"),
        (
            {"every": 3600},
            "every must be a timedelta, or days(…), weeks(…) or months(…), not 3600.",
        ),
        ({"every": days(0)}, "every days(…) must be at least 1."),
        ({"every": months(121)}, "every months(…) must be at most 120."),
        ({"every": weeks(1.5)}, "every weeks(…) must be a whole number, not 1.5."),
        (
            {"every": days(2, at="24:00")},
            "every days(…): at '24:00' is no time of day; write at=\"09:00\".",
        ),
        ({"every": days(2, at="9:5")}, "every days(…): at '9:5' is no time of day"),
        ({"every": weeks(2, on="monday")}, "every weeks(…): on 'monday' is none of mon, tue, wed"),
        ({"every": weeks(2, on=["mon"])}, "every weeks(…): on ['mon'] is none of mon"),
        ({"every": months(2, on=32)}, "every months(…): on must be at most 31."),
        (
            {"every": months(2, on="last")},
            "every months(…): on 'last' is no day of a month; write 1 to 31, or business day 3, "
            "last day -3, nearest weekday 15, last weekday.",
        ),
        (
            {"every": months(1, on=business_day(0))},
            "every months(…): on 'business day 0' is no day",
        ),
        (
            {"every": months(1, on=business_day(32))},
            "every months(…): on 'business day 32' is no day",
        ),
        ({"every": months(1, on=last_day(3))}, "every months(…): on 'last day 3' is"),
        (
            {"every": months(1, on=nearest_weekday(0))},
            "every months(…): on 'nearest weekday 0' is no day of",
        ),
        ({"every": months(1, on=2.5)}, "every months(…): on must be a whole number, not 2.5."),
        (
            {"every": months(12, on=business_day(24)), "anchor": date(2027, 1, 1)},
            "every has no instant: no month of its steps has such a day; write another one.",
        ),
        ({"every": days(2), "anchor": NOON}, "anchor of local days must be a date such as date("),
        (
            {"every": days(2), "anchor": date(1900, 1, 1)},
            "anchor 1900-01-01 is too far away; write a year",
        ),
        ({"every": timedelta(days=2), "anchor": NOON.date()}, "anchor must be a datetime"),
        ({"at": "2026-06-01"}, "at must be a datetime, not '2026-06-01'."),
        ({"max_runs": 1.5}, "max_runs must be a whole number, not 1.5."),
        ({"max_catch_up_runs": 1.5}, "max_catch_up_runs must be a whole number, not 1.5."),
        ({"description": None}, "description must be a text, not None."),
        ({"name": None}, "name must be a text, not None."),
        ({"timezone": None}, "timezone must be a text, not None."),
        ({"cron": 5}, "cron must be a text, not 5."),
        ({"description": "a\0b"}, "description holds a NUL or half a character"),
        ({"params": {"x": float("nan")}}, "params cannot be stored as JSON"),
        ({"params": {"x": ["a\0b"]}}, "params cannot hold a NUL or half a character"),
        ({"params": {"\ud800": 1}}, "params cannot hold a NUL or half a character"),
        ({"params": None}, "params cannot be stored as JSON"),
    ],
)
def test_what_no_database_or_calendar_can_hold_is_refused(parts: dict[str, Any], said: str) -> None:
    assert of_schedule(**parts).startswith(said)


def test_an_id_must_be_a_text() -> None:
    parts: dict[str, Any] = {"id": None, "name": "x", "cron": "H 2 * * *", "jitter": 60}
    (text,) = mistakes(Schedule(source="tests:1", **parts))
    assert text == "tests:1: schedule None: id must be a text, not None."


@pytest.mark.parametrize("name", ["timeout", "backoff", "max_backoff"])
@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e12])
def test_a_job_cannot_wait_for_more_than_ten_years(name: str, seconds: float) -> None:
    (text,) = mistakes(a_job("j", **{f"{name}_seconds": seconds}))
    assert f"{name} must be at most 316224000 seconds, ten years." in text
