"""No expression and no line keeps a dialect busy without end."""

import time
from datetime import UTC, datetime

import pytest

from tick.cron.dialects import NAMES, dialect
from tick.cron.dialects.comparison import MOST_CHARACTERS, compare_line
from tick.cron.dialects.reading import MAX_LENGTH
from tick.errors import InvalidCron

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("engine", NAMES)
def test_a_long_expression_is_refused(engine: str) -> None:
    with pytest.raises(InvalidCron, match="characters"):
        dialect(engine).parse("0," * MAX_LENGTH + "0 0 * * *")


@pytest.mark.parametrize("engine", NAMES)
def test_a_day_that_never_comes_ends(engine: str) -> None:
    begun = time.process_time()
    try:
        found = dialect(engine).next_times("0 0 30 2 *", "UTC", START, 10)
    except InvalidCron:
        found = []
    assert found == []
    assert time.process_time() - begun < 20


@pytest.mark.parametrize("engine", NAMES)
def test_an_instant_without_a_zone_is_a_mistake_of_the_caller(engine: str) -> None:
    with pytest.raises(ValueError, match="aware"):
        dialect(engine).next_times("0 0 * * *", "UTC", datetime(2026, 1, 1), 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "no JSON object"),
        (b"[1, 2]", "no JSON object"),
        (b"\xff\xfe", "no JSON object"),
        (b"[" * 5000, "no JSON object"),
        (b'{"engine": "cronie"}', "'expr' is missing"),
        (b'{"engine": 1, "expr": "", "zone": "", "after": ""}', "'engine' is missing or no text"),
        (
            b'{"engine": "cronie", "expr": "0 0 * * *", "zone": "UTC", "after": "2026-03-28"}',
            "'after' is no instant",
        ),
        (
            b'{"engine": "cronie", "expr": "0 0 * * *", "zone": "Mars", "after": "2026-03-28T00Z"}',
            "unknown time zone",
        ),
        (
            b'{"engine": "jenkins", "expr": "", "zone": "UTC", "after": "2026-03-28T00Z"}',
            "unknown engine",
        ),
        (b" " * (MOST_CHARACTERS + 1), "longer than"),
    ],
)
def test_a_broken_line_is_answered_with_what_to_mend(line: bytes, said: str) -> None:
    answer = compare_line(line)
    assert list(answer) == ["error"]
    assert said in answer["error"]
