"""When what waits and works will have ended."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tick.policy.expected_end import ForecastRun, expect_end

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def queued(usual: float | None, *waits_for: int, available: float = -10) -> ForecastRun:
    return ForecastRun("job", at(available), None, None, usual, waits_for)


def running(started: float, usual: float | None) -> ForecastRun:
    return ForecastRun("job", at(-100), at(started), None, usual)


def ended(when: float) -> ForecastRun:
    return ForecastRun("job", at(-100), at(-100), at(when), 5)


def test_a_diamond_ends_with_its_longer_side() -> None:
    works = {1: running(-4, 10), 2: queued(30, 1), 3: queued(5, 1), 4: queued(2, 2, 3)}
    expected = expect_end(works, NOW)
    assert expected is not None
    assert expected.ends_at == at(6 + 30 + 2)
    assert expected.critical == (1, 2, 4)


def test_what_already_took_longer_than_usual_ends_now() -> None:
    expected = expect_end({1: running(-60, 10), 2: queued(5, 1)}, NOW)
    assert expected is not None and expected.ends_at == at(5)


def test_a_retry_to_come_is_waited_for() -> None:
    expected = expect_end({1: queued(5, available=40)}, NOW)
    assert expected is not None and expected.ends_at == at(45)


def test_what_has_ended_is_no_part_of_the_chain() -> None:
    expected = expect_end({1: ended(-3), 2: queued(7, 1)}, NOW)
    assert expected is not None
    assert (expected.ends_at, expected.critical) == (at(7), (2,))


def test_without_history_it_is_the_earliest_end() -> None:
    expected = expect_end({1: queued(None), 2: queued(3, 1)}, NOW)
    assert expected is not None and expected.ends_at == at(3)


def test_nothing_is_expected_of_what_has_ended() -> None:
    assert expect_end({1: ended(-3)}, NOW) is None
    assert expect_end({}, NOW) is None


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.lists(st.integers(0, 11), max_size=4)), max_size=12)
)
def test_the_end_is_the_length_of_the_longest_path(
    jobs: list[tuple[float, list[int]]],
) -> None:
    works = {
        number: queued(usual, *(other for other in needs if other < number))
        for number, (usual, needs) in enumerate(jobs)
    }
    lengths: dict[int, float] = {}
    for number, work in works.items():
        before = max((lengths[other] for other in work.waits_for), default=0.0)
        lengths[number] = before + (work.usual_seconds or 0)
    expected = expect_end(works, NOW)
    if not works:
        assert expected is None
        return
    assert expected is not None
    longest = max(lengths.values())
    assert abs((expected.ends_at - NOW).total_seconds() - longest) < 1e-3
    chain = sum(works[number].usual_seconds or 0 for number in expected.critical)
    assert abs(chain - longest) < 1e-3
