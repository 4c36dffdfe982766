"""Cron expressions in plain words, and whether the words are true."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from tests.cron.expressions import SYSTEMATIC, any_expression
from tests.cron.reader import read
from tick.cron import timetable
from tick.cron.grammar import parse
from tick.cron.words import either_day, in_words
from tick.errors import InvalidCron

PARIS = "Europe/Paris"
DAYS = [date(2024, 1, 1) + timedelta(days=day) for day in range(2 * 365 + 1)]
KINDS = {
    "minute": ["*", "0", "30", "*/15", "*/7", "*/40", "5-59/7", "1-59/2", "0-30", "5,10", "58,59"],
    "hour": ["*", "0", "9-17", "*/3", "*/5", "1-23/2", "0,12", "22-23", "5-10,20", "0-10,12-23"],
    "day": ["*", "1", "31", "25-31", "1-7", "1,15", "*/10", "2-30/4", "L", "15,L", "1-5,L", "1-30"],
    "month": ["*", "*/3", "3-5", "feb"],
    "weekday": ["*", "1", "MON-FRI", "1,3-5", "5-7", "sat-sun", "1-5/2", "0-5", "5#2", "L5"],
}


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*/15 * * * *", "Every 15 minutes"),
        ("30 2 * * *", "At 02:30"),
        ("@daily", "At 00:00"),
        ("0 14 * * mon-fri", "At 14:00, on Monday through Friday"),
        ("*/40 * * * *", "At 0 and 40 minutes past the hour"),
        ("0 */5 * * *", "At 00:00, 05:00, 10:00, 15:00 and 20:00"),
        ("0 9-17 * * *", "Every hour from 09:00 through 17:00"),
        ("* 1,3 * * *", "Every minute, in the hours 01 and 03"),
        ("*/15 */8 * * *", "Every 15 minutes, in the hours 00, 08 and 16"),
        ("5-50/40 * * * *", "At 5 and 45 minutes past the hour"),
        ("1-59/2 * * * *", "Every 2 minutes from 1 to 59 past the hour"),
        ("0 0 */10 * *", "At 00:00, on day 1, 11, 21 and 31 of the month"),
        (
            "0 0 1 */3 *",
            "At 00:00, on day 1 of the month, only in January, April, July and October",
        ),
        ("0 0 13 * 5", "At 00:00, on day 13 of the month, or on Friday"),
        (
            "0 18 25-31 * MON-FRI",
            "At 18:00, on day 25 through 31 of the month, or on Monday through Friday",
        ),
        ("0 0 1-7 3 mon", "At 00:00, only in March, on day 1 through 7 of the month, or on Monday"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
        ("0 0 15,L * *", "At 00:00, on day 15 and the last day of the month"),
        ("0 0 * * 5#2,fri#4", "At 00:00, on the second Friday and the fourth Friday of the month"),
        ("0 0 * 3 l5", "At 00:00, on the last Friday of the month, only in March"),
        ("0 0 1-31 * *", "At 00:00"),
    ],
)
def test_expressions_are_described_truly_and_with_their_zone(expression: str, words: str) -> None:
    assert timetable.describe(expression, PARIS) == f"{words} ({PARIS})"


def agree(expression: str) -> None:
    """The words promise just what fires, day by day through a leap year and the others."""
    fields, words = parse(expression), in_words(parse(expression))
    promised = read(words)
    times = {(hour, minute) for hour in fields.hours for minute in fields.minutes}
    assert promised.times == times, (expression, words)
    wrong = [day for day in DAYS if promised.matches_day(day) != fields.matches_day(day)]
    assert not wrong, (expression, words, wrong[0])


@pytest.mark.parametrize("minute", KINDS["minute"])
def test_the_words_for_every_kind_of_time_promise_what_fires(minute: str) -> None:
    for hour in KINDS["hour"]:
        agree(f"{minute} {hour} * * *")


@pytest.mark.parametrize("day", KINDS["day"])
def test_the_words_for_every_kind_of_day_promise_what_fires(day: str) -> None:
    accepted = 0
    for weekday in KINDS["weekday"]:
        for month in KINDS["month"]:
            expression = f"0 9 {day} {month} {weekday}"
            try:
                timetable.validate(expression, "UTC")
            except InvalidCron:
                continue  # what crons read differently is refused
            accepted += 1
            agree(expression)
    assert accepted >= len(KINDS["month"]) - 1


def test_the_words_for_generated_expressions_promise_what_fires() -> None:
    random = Random("words")
    for expression in [*SYSTEMATIC, *(any_expression(random) for _ in range(150))]:
        agree(expression)


def test_what_the_words_promise_is_what_the_calculator_fires() -> None:
    random = Random("instants")
    for _ in range(60):
        expression = any_expression(random)
        promised = read(in_words(parse(expression)))
        start = timetable.next_times(expression, "UTC", cron_start())[0]
        found = timetable.times_between(expression, "UTC", start, start + timedelta(days=9), 400)
        assert all((at.hour, at.minute) in promised.times for at in found)
        assert all(promised.matches_day(at.date()) for at in found)


def cron_start() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "instead"),
    [
        ("0 9 1-7 * MON", "for the first Monday of the month write '0 9 * * 1#1'"),
        ("0 9 15-21 3 fri", "for the third Friday of the month write '0 9 * 3 5#3'"),
        ("0 9 25-31 * 0", "for the last Sunday of the month write '0 9 * * L0'"),
        ("0 9 1-7 * *", None),
        ("0 9 13 * 5", None),
        ("0 9 1-7 * MON-FRI", None),
    ],
)
def test_who_means_the_nth_weekday_is_told_how_to_write_it(
    expression: str, instead: str | None
) -> None:
    found = either_day(parse(expression))
    assert found is None if instead is None else instead in (found or "")
    if instead is not None:
        timetable.validate(instead.split("'")[1], "UTC")


def test_describing_checks_first() -> None:
    with pytest.raises(InvalidCron):
        timetable.describe("0 0 31 2 *", PARIS)


def test_everything_that_is_accepted_can_be_described() -> None:
    random = Random("describe")
    for _ in range(300):
        assert timetable.describe(any_expression(random), "UTC").endswith(" (UTC)")
