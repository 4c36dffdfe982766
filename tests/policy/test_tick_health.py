"""Whether it ticks: three of the usual intervals, learned, are the patience of everybody."""

from datetime import UTC, datetime, timedelta

from tick.policy.tick_health import Ticked, TickState, judge_ticks

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def every(seconds: float, source: str = "loop", count: int = 10) -> list[Ticked]:
    """Ticks of one source, the last at noon."""
    return [Ticked(source, NOON - timedelta(seconds=seconds * number)) for number in range(count)]


def state(ticks: list[Ticked], seconds_after_noon: float) -> TickState:
    return judge_ticks(ticks, NOON + timedelta(seconds=seconds_after_noon)).state


def test_before_the_first_tick_it_never_ticked() -> None:
    health = judge_ticks([], NOON)
    assert (health.state, health.last_at, health.late_at) == (TickState.NEVER, None, None)


def test_it_is_late_after_three_of_the_usual_intervals_and_not_before() -> None:
    assert state(every(60), 180) is TickState.OK
    assert state(every(60), 181) is TickState.LATE
    assert state(every(600), 1800) is TickState.OK
    assert state(every(600), 1801) is TickState.LATE


def test_with_few_ticks_a_minute_is_usual() -> None:
    assert state(every(600, count=3), 181) is TickState.LATE


def test_a_source_may_die_while_another_ticks() -> None:
    ticks = every(60) + [
        Ticked("cron", tick.at - timedelta(hours=1)) for tick in every(300, count=6)
    ]
    health = judge_ticks(ticks, NOON + timedelta(seconds=30))
    assert health.state is TickState.OK
    assert [(one.source, one.usual_seconds, one.late) for one in health.sources] == [
        ("loop", 60, False),
        ("cron", 300, True),
    ]


def test_two_calls_in_one_second_teach_no_interval() -> None:
    twice = [tick for one in every(60) for tick in (one, one._replace(source="again"))]
    assert judge_ticks(twice, NOON).usual_seconds == 60


def test_it_says_when_it_would_be_late() -> None:
    assert judge_ticks(every(60), NOON).late_at == NOON + timedelta(seconds=180)


def test_what_lies_in_the_future_outweighs_all_else() -> None:
    tomorrow = NOON + timedelta(days=1)
    for ticks in ([], every(60), every(60)[5:]):
        health = judge_ticks(ticks, NOON + timedelta(hours=2), tomorrow)
        assert (health.state, health.ahead_to) == (TickState.AHEAD, tomorrow)


def test_a_cursor_of_this_minute_is_not_ahead() -> None:
    assert judge_ticks(every(60), NOON, NOON + timedelta(seconds=60)).state is TickState.OK
