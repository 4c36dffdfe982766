"""Days and instants on the command line."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tick.cli.output import local
from tick.cli.parameters import DAY_OR_INSTANT
from tick.cli.replay import bounds


def read(text: str) -> date | datetime:
    return DAY_OR_INSTANT.convert(text, None, None)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", "2026-11-25", 24),
        ("Asia/Tokyo", "2026-11-25", 24),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Santiago", "2026-09-06", 23),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
    ],
)
def test_a_day_is_a_whole_day_of_the_schedules_zone(zone: str, day: str, hours: float) -> None:
    first, last = bounds(read(day), read(day), zone)
    assert (first.tzinfo, last.tzinfo) == (UTC, UTC)
    assert local(first, zone)[4:14] == local(last, zone)[4:14] == day
    assert last - first == timedelta(hours=hours) - timedelta(microseconds=1)


def test_an_instant_is_the_one_that_is_said() -> None:
    first, last = bounds(read("2026-11-25T08:00"), read("2026-11-25T09:00+01:00"), "Asia/Tokyo")
    assert (first, last) == (datetime(2026, 11, 25, 8, tzinfo=UTC),) * 2
