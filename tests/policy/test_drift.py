"""Instants before and after, side by side."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.policy.rules import daily
from tick.policy.drift import MOST_COMPARED, Forecast, Move, forecast, moves, pack, unpack

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")


def told(*hours: float, after: float = 0, until: float = 100) -> Forecast:
    """A forecast of those hours after the start."""
    times = [START + hour * HOUR for hour in hours]
    return Forecast(START + after * HOUR, START + until * HOUR, times)


def in_hours(found: list[Move]) -> list[tuple[float | None, float | None]]:
    return [(_hours(move.before), _hours(move.after)) for move in found]


def _hours(at: datetime | None) -> float | None:
    return None if at is None else (at - START) / HOUR


def test_what_both_sides_have_is_no_move() -> None:
    assert in_hours(moves(told(1, 2, 30), told(1, 3, 30), UTC_ZONE)) == [(2, 3)]


def test_an_instant_without_a_counterpart_on_its_day_comes_or_goes() -> None:
    assert in_hours(moves(told(1, 2), told(1, 30), UTC_ZONE)) == [(2, None), (None, 30)]


def test_only_the_time_that_both_cover_is_compared() -> None:
    before, after = told(1, 5, 40, until=40), told(8, after=4)
    assert in_hours(moves(before, after, UTC_ZONE)) == [(5, 8), (40, None)]


def test_a_very_long_forecast_ends_with_its_last_instant() -> None:
    found = forecast(daily(cron="* * * * *"), START, START + 366 * DAY)
    assert len(found.instants) == MOST_COMPARED
    assert found.until == found.instants[-1]


@given(st.lists(st.datetimes(datetime(1999, 1, 1), datetime(2199, 1, 1)), max_size=50))
def test_what_is_packed_comes_out_the_same(instants: list[datetime]) -> None:
    ordered = sorted(at.replace(tzinfo=UTC) for at in instants)
    assert unpack(pack(ordered)) == ordered
