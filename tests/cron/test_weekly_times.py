"""Times of the week with a beginning and an end."""

from datetime import timedelta

import pytest

from tick.cron.weekly_times import parse_weekly, weekly_in_words
from tick.errors import InvalidCron

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "cron", "end_cron", "hours"),
    [
        ("Sun 02:00-04:00", "0 2 * * 0", "0 4 * * 0", 2),
        ("sunday 02:00 - 04:30", "0 2 * * 0", "30 4 * * 0", 2.5),
        ("Mon-Fri 22:00-06:00", "0 22 * * 1,2,3,4,5", "0 6 * * 2,3,4,5,6", 8),
        ("Sat,Sun 00:00-24:00", "0 0 * * 0,6", "0 0 * * 0,1", 24),
        ("22:00-06:00", "0 22 * * *", "0 6 * * *", 8),
        ("Fri 20:00-Mon 06:00", "0 20 * * 5", "0 6 * * 1", 58),
        ("Sat 23:30-00:30", "30 23 * * 6", "30 0 * * 0", 1),
        ("Fri-Sun 01:00-02:00", "0 1 * * 0,5,6", "0 2 * * 0,5,6", 1),
        ("Wed 10:00-Wed 09:00", "0 10 * * 3", "0 9 * * 3", 167),
    ],
)
def test_a_text_is_two_cron_expressions(text: str, cron: str, end_cron: str, hours: float) -> None:
    times = parse_weekly(text)
    assert (times.cron, times.end_cron, times.length) == (cron, end_cron, hours * HOUR)
    assert times.end_cron is not None
    assert parse_weekly(weekly_in_words(cron, end_cron)) == times


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at night", "is no time of the week; write such as 'Sun 02:00-04:00'"),
        ("Sun 02:00", "is no time of the week"),
        ("Sux 02:00-04:00", "'sux' is no weekday"),
        ("Sun 25:00-26:00", "'25:00' is no time of day"),
        ("Sun 02:00-03:60", "'03:60' is no time of day"),
        ("Sun 24:00-03:00", "'24:00' is no time of day"),
        ("Mon-Fri 02:00-Sat 03:00", "name one day for its beginning"),
        ("Sun 02:00-Sun 02:00", "lasts the whole week"),
    ],
)
def test_a_text_that_is_none_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(InvalidCron, match=said):
        parse_weekly(text)
