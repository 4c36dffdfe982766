"""What definitions/README.md says is so."""

import inspect
import re
from calendar import Calendar
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

import definitions
from tick import Calendar as OurCalendar
from tick import Schedule, Window, job
from tick.define.jobs import JobDefinition, Policy
from tick.define.registry import build_registry
from tick.testing import fires

README = Path(definitions.__file__).with_name("README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
JOB, SCHEDULE, STEPS, MONTH_DAY, ENVIRONMENTS, LIMITS, TESTS, *MORE_EXAMPLES = EXAMPLES
CALENDAR, MOVES, WINDOW, RUNNING, KINDS, ALERTS = MORE_EXAMPLES


def table(heading):
    """The first column of the section's table, as the code names in each row."""
    section = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    first_cells = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return [re.findall(r"`(\w+)`", cell) for cell in first_cells if "`" in cell]


def test_every_option_of_a_job_is_in_the_table_with_its_default():
    section = README.partition("## All options of `@job`\n")[2]
    documented = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", section, re.MULTILINE))
    options = [*inspect.signature(job).parameters, *Policy.__annotations__]
    options = [name for name in options if name not in ("policy", "misplaced")]
    assert sorted(name for (name,) in table("All options of `@job`")) == sorted(options)
    kept = {field.name.removesuffix("_seconds"): field.default for field in fields(JobDefinition)}
    for name, default in documented.items():
        # Sets and lists are kept in types of their own.
        assert eval(default) == (kept[name] or eval(default)), name  # noqa: S307 - our own README


def test_the_example_of_environments_differs_in_one_of_them():
    space = {}
    exec(ENVIRONMENTS, space)  # noqa: S102 - our own README
    assert set(space["nightly"].environments) == {"production", "staging"}


def test_every_option_of_a_schedule_stands_in_its_tables_or_its_example():
    set_by_us = {"as_written", "source", "first_id", "business_days"}
    options = {field.name for field in fields(Schedule)} - set_by_us
    assert {name for row in table("Add a schedule") for name in row} <= options
    section = README.partition("## Add a schedule\n")[2].partition("\n## ")[0]
    assert options <= {*re.findall(r"(?:`|^        )(\w+)[`=]", section, re.MULTILINE)}


def test_the_example_tests_pass():
    space = {}
    kept = re.sub(r"^from definitions.*\n", "", TESTS, flags=re.MULTILINE)
    exec("from definitions.feed import trending\n" + JOB + SCHEDULE + kept, space)  # noqa: S102
    tests = [space[name] for name in space if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_the_example_of_a_day_of_the_month_fires_on_the_last_working_day(year):
    space = {}
    exec(MONTH_DAY, space)  # noqa: S102 - our own README
    found = fires(space["monthly"], f"{year}-01-01", f"{year + 1}-01-01")
    working = [
        [day for day in Calendar().itermonthdates(year, month) if day.month == month]
        for month in range(1, 13)
    ]
    expected = [[day for day in days if day.weekday() < 5][-1] for days in working]
    assert [at.date() for at in found] == expected


def test_the_example_job_and_schedule_are_accepted(registry):
    assert len([line for line in JOB.splitlines() if line]) <= 6
    space = {}
    exec(JOB + SCHEDULE, space)  # noqa: S102 - our own README
    added = space["weekly_digest"].__job__
    extended = build_registry([*registry.jobs.values(), added], space["schedules"])
    assert (
        extended.job("weekly-digest").description
        == "Pick the posts of the week for the newsletter."
    )
    assert space["weekly_digest"](limit=3) == {"posts": 3}


def test_the_example_of_a_step_keeps_the_end_of_the_month():
    space = {}
    exec(STEPS, space)  # noqa: S102 - our own README
    found = fires(space["inventory"], "2027-01-01", "2027-04-01")
    assert [(at.month, at.day, at.hour) for at in found] == [(1, 31, 18), (2, 28, 18), (3, 31, 18)]


def test_the_example_of_a_calendar_is_accepted(registry):
    space = {}
    exec(CALENDAR, space)  # noqa: S102 - our own README
    given = [*registry.jobs.values()], [space["payments"]]
    found = build_registry(*given, calendars=[space["de_by"]]).calendars.days["de-by"]
    assert found.why_off(date(2026, 8, 14)) == "plant holiday"
    assert found.why_off(date(2026, 1, 6)) == "Epiphany"


def test_the_example_of_a_move_stays_in_its_month():
    space = {}
    exec(CALENDAR + MOVES, space)  # noqa: S102 - our own README
    found = fires(space["month_end"], "2026-01-01", "2026-06-30", calendars=[space["de_by"]])
    days = [(1, 30), (2, 27), (3, 31), (4, 30), (5, 29)]
    assert [(at.month, at.day, at.hour) for at in found] == [(*day, 18) for day in days]


def test_every_option_of_a_calendar_is_in_the_table():
    options = {field.name for field in fields(OurCalendar)} - {"name", "source", "folder"}
    assert {name for row in table("Calendars") for name in row} == options


def test_the_example_of_a_window_is_accepted_and_its_options_are_in_the_table(registry):
    space = {}
    exec(WINDOW, space)  # noqa: S102 - our own README
    build_registry([*registry.jobs.values()], [], windows=[space["maintenance"]])
    options = {field.name for field in fields(Window)} - {"name", "source", "timezone"}
    assert {name for row in table("Maintenance windows") for name in row} == options


def test_the_example_of_a_running_job_does_nothing_outside_of_a_run():
    exec(RUNNING, {})  # noqa: S102 - our own README


def test_the_example_of_other_kinds_is_accepted(registry):
    space = {}
    exec(KINDS, space)  # noqa: S102 - our own README
    added = [space["backup"].__job__, space["warm_up"].__job__]
    extended = build_registry([*registry.jobs.values(), *added], [])
    assert extended.job("warm-up").max_attempts == 3


@pytest.mark.parametrize("group", ["matching", "feed", "search", "media", "quiz", "maintenance"])
def test_the_sample_is_listed_by_group(registry, group):
    row = re.search(rf"^\| {group} \| (.*) \|$", README, re.MULTILINE)
    listed = re.findall(r"`([\w-]+)`", row[1])
    assert sorted(listed) == sorted(definition.name for definition in registry.groups[group])
