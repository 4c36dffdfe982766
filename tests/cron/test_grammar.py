"""Which cron texts are refused, and that the message names field, text and what would be right."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tick.cron import timetable
from tick.cron.hashed_slots import resolve
from tick.errors import InvalidCron, TickError

START = datetime(2026, 1, 1, tzinfo=UTC)

REFUSED = {
    # number of fields
    "": "has 0 fields",
    "   ": "has 0 fields",
    "30": "has 1 field, not five",
    "* * * *": "has 4 fields",
    "*/10 * * * * *": "has 6 fields, not five: .* leave out seconds",
    "0 0 * * * * 2026": "has 7 fields",
    "1 - 5 * * * *": "has 7 fields",
    # words
    "@reboot": "names no time",
    "@every 5m": "every=timedelta",
    "@fortnightly": "unknown word '@fortnightly': write one of @hourly, @daily",
    "@daily 5": "unknown word",
    # numbers
    "60 * * * *": "minute '60': out of range; write a number from 0 to 59",
    "0 24 * * *": "hour '24': out of range; write a number from 0 to 23",
    "0 0 0 * *": "day-of-month '0': out of range; write a number from 1 to 31",
    "0 0 32 * *": "day-of-month '32': out of range",
    "0 0 * 13 *": "month '13': out of range; write a number from 1 to 12 or jan to dec",
    "0 0 * 0 *": "month '0': out of range",
    "0 0 * * 8": "day-of-week '8': out of range; write a number from 0 to 7 or sun to sat",
    "-5 * * * *": "minute '-5': write a number from 0 to 59",
    "005 * * * *": "minute '005': write a number",
    "1.5 * * * *": "minute '1.5': write a number",
    "x * * * *": "minute 'x': write a number from 0 to 59, a range such as 10-20, or",
    # names
    "0 0 * * monday": "day-of-week 'monday': write mon",
    "0 0 * january *": "month 'january': write jan",
    "0 0 * mon *": "month 'mon': write a number",
    "0 mon * * *": "hour 'mon': write a number",
    # lists
    "1,,5 * * * *": "minute '1,,5': an item is missing",
    "1, * * * *": "minute '1,': an item is missing",
    "*,5 * * * *": r"minute '\*,5': .* write it alone",
    # ranges
    "5-5 * * * *": "minute '5-5': a range of one value; write 5",
    "0 0 * jan-jan *": "month 'jan-jan': a range of one value; write 1",
    "0 0 * * 1-1": "day-of-week '1-1': a range of one value; write 1",
    "0 0 * * 0-7": "day-of-week '0-7': Sunday is both 0 and 7",
    "0 0 * * sun-sun": "day-of-week 'sun-sun': a range of one value; write 0",
    "0 22-2 * * *": "hour '22-2': the range runs backwards; write 22-23,0-2",
    "0 0 * * fri-mon": "day-of-week 'fri-mon': the range runs backwards; write 5-6,0-1",
    "0 23-5/2 * * *": "hour '23-5/2': the range runs backwards; write 23,1,3,5",
    "1-100 * * * *": "minute '100': write a number",
    "1-2-3 * * * *": "minute '1-2-3': write",
    # steps
    "*/0 * * * *": r"minute '\*/0': the step must be 1 to 59",
    "*/60 * * * *": r"minute '\*/60': the step must be 1 to 59",
    "0 */24 * * *": r"hour '\*/24': the step must be 1 to 23",
    "5/15 * * * *": "minute '5/15': a step needs a range or [*]; write 5-59/15",
    "0 0 * * 7/2": "day-of-week '7/2': a step needs a range or [*]; write 7",
    "0 0 * * 1/2": "day-of-week '1/2': a step needs a range or [*]; write 1-6/2",
    "5-10/40 * * * *": "minute '5-10/40': the step is longer than the range; write 5",
    "5-10/0 * * * *": "minute '5-10/0': the step must be at least 1",
    "*/x * * * *": r"minute '\*/x': write",
    # other dialects
    "0 0 ? * 1": r"day-of-month '\?': write \*",
    "R R * * *": "minute 'R': R changes at each start; write H",
    "H * * * *": "minute 'H': H stands for a slot that the schedule's id decides",
    "H(0-29) * * * *": "H stands for a slot that the schedule's id decides",
    "0 0 LW * *": "day-of-month 'LW': no expression names the last weekday; a step of",
    "0 0 15W * *": "day-of-month '15W': no expression names the nearest weekday; a step of",
    "0 0 L-3 * *": "day-of-month 'L-3': no expression counts back from the last day; a step",
    "0~30 4 * * *": "minute '0~30': ~ is another slot at each start; write H, or H",
    "~ 3 * * *": "minute '~': ~ is another slot at each start; write H",
    "0 4~8/2 * * *": "hour '4~8/2': ~ is another slot at each start; write H",
    "0 0 * * 1,5#2": "a weekday each week and the nth of a month can't share a list; make two",
    "0 0 * * L5,mon-wed": "a weekday each week and the nth of a month can't share a list; make two",
    "0 0 * * 5L": "day-of-week '5L': write L5",
    "0 0 * * friL": "day-of-week 'friL': write L5",
    "0 0 * * 5#6": "day-of-week '5#6': write 5#1 to 5#5",
    "0 0 * * 5#0": "day-of-week '5#0': write 5#1 to 5#5",
    "0 0 * * #2": "day-of-week '#2': write",
    "0 0 * * L": "day-of-week 'L': write",
    "L * * * *": "minute 'L': write",
    # days that parsers read differently, or that never come
    "0 0 */2 * 1": r"day-of-month '\*/2' with day-of-week '1': some crons need both",
    "0 0 1 * */2": r"day-of-month '1' with day-of-week '\*/2': some crons need both",
    "0 0 1-31 * 1": "day-of-month '1-31' with day-of-week '1': one of them covers every day",
    "0 0 13 * 0-6": "one of them covers every day; write [*]",
    "0 0 1 * 5#2": "day-of-month '1' with day-of-week '5#2': .* make two schedules",
    "0 0 L * 5": "day-of-month 'L' with day-of-week '5': .* make two schedules",
    "0 0 1 * L5": "make two schedules",
    "0 0 31 2 *": "day-of-month '31' in month '2' never comes",
    "0 0 30,31 feb *": "day-of-month '30,31' in month 'feb' never comes",
    "0 0 31 4,6,9,11 *": "never comes",
    # texts
    "0 9 * * *\n0 10 * * *": "one line of plain ASCII",
    "0 9 * * *\x00": "plain ASCII",
    "\u0665 * * * *": "plain ASCII",
    "0\u00a09 * * *": "plain ASCII",
    "1," * 60 + "1 * * * *": "has 129 characters; write at most 100",
}


@pytest.mark.parametrize(("expression", "message"), REFUSED.items())
def test_a_refusal_says_what_would_be_right(expression: str, message: str) -> None:
    with pytest.raises(InvalidCron, match=message):
        timetable.validate(expression, "UTC")


@pytest.mark.parametrize("expression", [None, 5, 1.5, b"* * * * *", ["*"] * 5, {}, object()])
def test_what_is_no_text_is_refused(expression: object) -> None:
    with pytest.raises(InvalidCron, match="a cron expression is a text"):
        timetable.validate(expression, "UTC")  # type: ignore[arg-type]


def test_the_error_is_ours_and_a_value_error() -> None:
    assert issubclass(InvalidCron, TickError)
    assert issubclass(InvalidCron, ValueError)


def test_a_refusal_echoes_only_a_little_of_a_long_text() -> None:
    with pytest.raises(InvalidCron) as caught:
        timetable.validate("9" * 100_000, "UTC")
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("expression", "same_as"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@Yearly", "0 0 1 1 *"),
        (" @annually ", "0 0 1 1 *"),
        ("\t05 09  * * *\n", "5 9 * * *"),
        ("0 0 * JAN-mar Mon,fri", "0 0 * 1-3 1,5"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sat-sun", "0 0 * * 6,0"),
        ("0 0 * * 5-7", "0 0 * * 5,6,0"),
        ("0 0 * * fri-sun", "0 0 * * 5,6,0"),
        ("0 0 * * 1-7/3", "0 0 * * 1,4,0"),
        ("*/20,7 * * * *", "0,7,20,40 * * * *"),
        ("*/1 * * * *", "* * * * *"),
        ("0 0 1-31 * *", "0 0 * * *"),
        ("0 0 l * *", "0 0 L * *"),
        ("0 0 * * fri#2", "0 0 * * 5#2"),
        ("0 0 * * l7", "0 0 * * L0"),
    ],
)
def test_two_spellings_fire_at_the_same_times(expression: str, same_as: str) -> None:
    found, expected = (
        timetable.next_times(text, "UTC", START, 50) for text in (expression, same_as)
    )
    assert found == expected


def test_a_day_that_only_one_of_two_fields_can_meet_still_fires() -> None:
    """Two restricted day fields are joined by OR, so 30 February does not matter here."""
    (found,) = timetable.next_times("0 0 30 2 1", "UTC", START)
    assert found == datetime(2026, 2, 2, tzinfo=UTC)


LETTERS = st.text("0123456789*/-,#LHRW?@ \tjanfebmonsu()", max_size=40)
ITEMS = st.sampled_from(
    [
        "*",
        "*/2",
        "*/7",
        "0",
        "1",
        "5",
        "31",
        "60",
        "1-5",
        "5-1",
        "2-9/3",
        "L",
        "L5",
        "5#2",
        "H",
        "?",
    ]
)


@settings(max_examples=1500, deadline=None, derandomize=True, database=None)
@given(st.one_of(st.text(), LETTERS, st.lists(ITEMS, min_size=5, max_size=5).map(" ".join)))
def test_any_text_either_fires_or_is_refused_as_invalid(text: str) -> None:
    try:
        timetable.validate(text, "UTC")
    except InvalidCron:
        return
    (found,) = timetable.next_times(text, "UTC", START)
    assert found > START
    assert timetable.describe(text, "UTC")


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.one_of(LETTERS, st.lists(ITEMS, min_size=5, max_size=5).map(" ".join)), st.text())
def test_any_slot_either_resolves_or_is_refused_as_invalid(text: str, schedule_id: str) -> None:
    try:
        assert resolve(text, schedule_id) == resolve(text, schedule_id)
    except InvalidCron:
        return


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text())))
def test_any_zone_either_exists_or_is_refused_as_invalid(zone: object) -> None:
    try:
        timetable.validate("0 9 * * *", zone)  # type: ignore[arg-type]
    except InvalidCron:
        return
    assert isinstance(zone, str)
