"""Options written by hand become code that means the same."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import tick
from tick import Schedule, days, months, weeks
from tick.define.as_code import as_code, imports_of
from tick.define.month_days import FUNCTIONS
from tick.define.written import to_plain


@pytest.mark.parametrize(
    "written",
    [
        {"name": "Nightly", "cron": "0 2 * * *"},
        {"name": 'Says "no"\nin two lines, ünd', "cron": "H 1 * * *", "job": "a"},
        {"name": "Steady", "every": 21600.0, "anchor": "2027-01-01T09:00:00+00:00"},
        {"name": "Odd", "every": 90.5},
        {"name": "Days", "every": {"days": 2, "at": "09:00"}, "timezone": "Europe/Berlin"},
        {"name": "Weeks", "every": {"weeks": 2, "on": "mon", "at": "00:00"}},
        {"name": "Ends", "every": {"months": 1, "at": "18:00"}, "anchor": "2027-01-31"},
        {"name": "Third", "every": {"months": 1, "on": "business day 3", "at": "02:00"}},
        {"name": "Last", "every": {"months": 3, "on": "business day -1", "at": "00:00"}},
        {"name": "L-3", "every": {"months": 1, "on": "last day -3", "at": "00:00"}},
        {"name": "15W", "every": {"months": 1, "on": "nearest weekday 15", "at": "00:00"}},
        {"name": "LW", "every": {"months": 1, "on": "last weekday", "at": "02:00"}},
        {"name": "Weekly", "every": 1209600.0},
        {"name": "Once", "at": "2027-03-29T02:00:05.000250+00:00"},
        {
            "name": "All of it",
            "cron": "0 2 * * *",
            "jobs": ["a", "b"],
            "with_dependencies": True,
            "params": {"limit": 3, "dry": False, "none": None, "deep": {"x": [1.5, "y"]}},
            "overlap": "QUEUE_ONE",
            "grace": 300,
            "max_concurrent": 2,
            "deadline": 5400.0,
            "timeout": 600.0,
            "retries": 0,
            "priority": -5,
            "pause_after": 3,
            "ends_at": "2029-01-01T00:00:00+00:00",
        },
    ],
)
def test_the_code_of_a_schedule_makes_the_same_schedule(written: dict[str, Any]) -> None:
    code = as_code("an-id", written)
    names = {"Schedule": Schedule, "datetime": datetime, "timedelta": timedelta, "UTC": UTC}
    names |= {"date": date, "days": days, "weeks": weeks, "months": months}
    names |= {name: getattr(tick, name) for name in FUNCTIONS}
    made = eval(code, names)  # noqa: S307 - our own text
    assert made.id == "an-id"
    assert to_plain(made) == written


def test_the_imports_are_those_that_the_code_needs() -> None:
    assert imports_of(as_code("x", {"cron": "0 2 * * *"})) == "from tick import Schedule"
    code = as_code("x", {"at": "2027-01-01T00:00:00+00:00"})
    assert imports_of(code) == "from datetime import UTC, datetime\n\nfrom tick import Schedule"
    code = as_code("x", {"every": {"months": 1, "on": 31}, "anchor": "2027-01-31"})
    assert "every=months(1, on=31)" in code
    assert imports_of(code) == "from datetime import date\n\nfrom tick import Schedule, months"
    code = as_code("x", {"every": {"months": 1, "on": "last weekday", "at": "02:00"}})
    assert 'every=months(1, on=last_weekday(), at="02:00")' in code
    assert imports_of(code) == "from tick import Schedule, last_weekday, months"
    code = as_code("x", {"every": 3600.0})
    assert "every=timedelta(hours=1)" in code
    assert imports_of(code).startswith("from datetime import timedelta\n")


def test_the_options_stand_in_the_order_of_the_definitions() -> None:
    code = as_code("x", {"cron": "0 2 * * *", "overlap": "ALLOW", "name": "X", "job": "a"})
    names = [line.strip().partition("=")[0] for line in code.splitlines()[1:-1]]
    assert names == ["id", "name", "cron", "job", "overlap"]
