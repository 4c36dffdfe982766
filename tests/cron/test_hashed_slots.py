"""`H`: each schedule's own slot."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from tick.cron import timetable
from tick.cron.hashed_slots import resolve
from tick.errors import InvalidCron

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_slot_stays_the_same_for_its_schedule() -> None:
    assert resolve("H H * * *", "weekly-cleanup") == "2 4 * * *"
    assert resolve("H 3 * * *", "weekly-cleanup") == "2 3 * * *"


def test_slots_spread_over_their_range() -> None:
    slots = {int(resolve("H(0-29) 3 * * *", f"schedule {n}").split()[0]) for n in range(500)}
    assert slots == set(range(30))


def test_a_stepped_slot_keeps_its_pace() -> None:
    for number in range(100):
        resolved = resolve("H/15 * * * *", f"schedule {number}")
        fires = timetable.next_times(resolved, "UTC", START, 9)
        assert {later - sooner for sooner, later in pairwise(fires)} == {timedelta(minutes=15)}


def test_a_slot_can_stand_in_every_field_and_always_fires() -> None:
    random = Random("slots")
    for number in range(2000):
        forms = ["*", "H", "H/2", "H/3", "H(2-5)", "H(1-6)/2"]
        minute, hour, day, month, weekday = (random.choice(forms) for _ in range(5))
        for text in (f"{minute} {hour} {day} {month} *", f"{minute} {hour} * {month} {weekday}"):
            resolved = resolve(text, f"schedule {number}")
            assert "H" not in resolved.upper().replace("THU", "")
            timetable.validate(resolved, "UTC")


def test_a_hashed_day_exists_in_every_month() -> None:
    days = {int(resolve("0 0 H * *", f"schedule {n}").split()[2]) for n in range(500)}
    assert days == set(range(1, 29))


def test_an_expression_without_a_slot_keeps_its_meaning() -> None:
    assert resolve("@daily", "any") == "0 0 * * *"
    assert resolve("0  9 * * mon-fri", "any") == "0 9 * * mon-fri"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("H/60 * * * *", "minute 'H/60': the step must be 2 to 59"),
        ("H(29-0) * * * *", "minute 'H\\(29-0\\)': the range must run upwards"),
        ("H(0-70) * * * *", "minute '70': out of range"),
        ("0 0 H/28 * *", "day-of-month 'H/28': the step must be 2 to 27"),
        ("H H", "has 2 fields"),
        (None, "is a text"),
    ],
)
def test_a_bad_slot_is_refused(expression: str, message: str) -> None:
    with pytest.raises(InvalidCron, match=message):
        resolve(expression, "any")
