"""What a week asks of workers, and where it asks too much."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tick.policy.free_slots import find_shift
from tick.policy.load import QUARTER, Demand, Load, Part, Pool, simulate
from tick.policy.meetings import list_meetings, list_shared_jobs

MINUTE, HOUR = 60, 3600
DAY = 24 * HOUR
WEEK = 7 * DAY


def runs(seconds: int, *, job: str = "job", queue: str = "default", after: int = 0) -> Part:
    return Part(job, queue, after, seconds)


def demand(name: str, instants: Sequence[int], *parts: Part, most: int | None = 1) -> Demand:
    return Demand(name, instants, parts or (runs(10 * MINUTE),), most)


def load(*demands: Demand, slots: int = 1, queue: str | None = None) -> Load:
    return simulate(demands, Pool(queue, slots), WEEK)


def test_two_at_once_on_one_slot_are_a_peak_that_names_both() -> None:
    found = load(demand("a", [HOUR]), demand("b", [HOUR + 5 * MINUTE]))
    (peak,) = found.peaks
    assert (peak.begin, peak.end) == (HOUR + 5 * MINUTE, HOUR + 10 * MINUTE)
    assert (peak.wanted, peak.members) == (2, {"a", "b"})
    assert peak.wait_seconds == 5 * MINUTE


def test_with_two_slots_they_are_none() -> None:
    assert load(demand("a", [HOUR]), demand("b", [HOUR]), slots=2).peaks == []


def test_a_run_that_begins_as_another_ends_takes_its_slot() -> None:
    chain = (runs(2), runs(2, after=2), runs(2, after=4))
    found = load(demand("a", [HOUR], *chain))
    assert found.peaks == [] and found.quarters[4].peak == 1


def test_quarters_hold_the_most_at_once_and_all_seconds() -> None:
    found = load(demand("a", [QUARTER - 60]), demand("b", [0]), slots=9)
    assert [quarter.peak for quarter in found.quarters[:3]] == [1, 1, 0]
    assert [quarter.busy_seconds for quarter in found.quarters[:2]] == [600 + 60, 540]


def test_the_last_in_line_waits_for_all_before_it() -> None:
    found = load(*(demand(f"s{number}", [HOUR]) for number in range(5)), slots=2)
    assert found.peaks[0].wait_seconds == 20 * MINUTE


def test_a_schedule_that_is_alone_skips_what_comes_while_it_runs() -> None:
    often = demand("a", range(0, HOUR, 5 * MINUTE), runs(7 * MINUTE))
    assert often.firings == list(range(0, HOUR, 10 * MINUTE))
    assert load(often).peaks == []
    assert load(demand("a", often.instants, *often.parts, most=None)).peaks


def test_a_schedule_of_which_two_may_run_skips_what_comes_while_two_do() -> None:
    often = demand("a", range(0, HOUR, 5 * MINUTE), runs(12 * MINUTE), most=2)
    assert often.firings == [at * MINUTE for at in (0, 5, 15, 20, 30, 35, 45, 50)]


def test_a_queue_counts_its_own_runs_only() -> None:
    media = demand("a", [0], runs(60, queue="media"), runs(60, queue="default"))
    assert load(media, queue="media").peaks == []
    assert load(media).peaks[0].wanted == 2


def test_peaks_that_touch_are_one() -> None:
    base = demand("long", [0], runs(HOUR))
    found = load(base, demand("a", [60, 150], runs(60)))
    assert [(peak.begin, peak.end) for peak in found.peaks] == [(60, 210)]


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(1, 900), st.integers(0, 600)), max_size=12
    ),
    st.integers(1, 3),
)
def test_peaks_are_where_counting_second_by_second_finds_too_many(
    firings: list[tuple[int, int, int]], slots: int
) -> None:
    demands = [
        demand(f"s{number}", [at], runs(seconds, after=after))
        for number, (at, seconds, after) in enumerate(firings)
    ]
    found = simulate(demands, Pool(None, slots), 7200)
    counts = [0] * 7200
    for at, seconds, after in firings:
        for second in range(at + after, at + after + seconds):
            counts[second] += 1
    over = [second for second, count in enumerate(counts) if count > slots]
    assert max((peak.wanted for peak in found.peaks), default=0) == (max(counts) if over else 0)
    assert all(any(peak.begin <= at < peak.end for peak in found.peaks) for at in over)
    assert sum(quarter.busy_seconds for quarter in found.quarters) == sum(counts)
    assert [quarter.peak for quarter in found.quarters] == [
        max(counts[begin : begin + QUARTER]) for begin in range(0, 7200, QUARTER)
    ]


def test_the_same_schedules_meeting_each_night_are_one_line() -> None:
    nights = [day * DAY + 2 * HOUR for day in range(7)]
    found = load(demand("a", nights), demand("b", nights), demand("c", [5 * HOUR]))
    (line,) = list_meetings([found], ())
    assert (line.times, line.schedules) == (7, {"a", "b"})


def test_all_jobs_against_its_groups_is_one_line() -> None:
    hours = range(0, WEEK, HOUR)
    groups = [demand(f"group-{number}", [hours[number * 5]]) for number in range(30)]
    everything = demand("all", hours)
    found = load(everything, *groups)
    (line,) = list_meetings([found], {"all"})
    assert (line.all_jobs, line.times, len(line.schedules)) == (("all",), 30, 31)
    (shared,) = list_shared_jobs([everything, *groups], {"all"}, WEEK)
    assert (shared.schedule_id, shared.other, shared.times) == ("all", None, 30)
    assert shared.others == {group.schedule_id for group in groups}


def test_two_schedules_that_run_a_job_at_one_time_are_told_of_by_its_length() -> None:
    one = demand("one", [0, DAY], runs(60, job="first"), runs(60, job="second"))
    other = demand("other", [30, DAY + 61], runs(60, job="first"))
    (found,) = list_shared_jobs([one, other], (), WEEK)
    assert (found.schedule_id, found.other, found.times, found.first) == ("one", "other", 1, 30)
    assert list(found.counts) == ["first"]


def test_the_nearest_free_slot_is_found() -> None:
    nights = [day * DAY + 2 * HOUR for day in range(6)]
    busy, moved = demand("busy", nights, runs(38 * MINUTE)), demand("moved", nights)
    assert find_shift(load(busy, moved), moved) == -10
    before = demand("before", [at - 3 * HOUR for at in nights], runs(3 * HOUR))
    assert find_shift(load(busy, moved, before), moved) == 40


def test_a_slot_is_free_only_if_every_firing_fits() -> None:
    nights = [day * DAY + 2 * HOUR for day in range(6)]
    walls = [
        demand("monday", [nights[0] - 4 * HOUR], runs(8 * HOUR)),
        demand("night", nights),
    ]
    assert find_shift(load(*walls, demand("moved", nights)), demand("moved", nights)) is None


def test_its_own_load_is_not_in_its_way() -> None:
    long = demand("long", [DAY], runs(HOUR))
    other = demand("other", [DAY + 50 * MINUTE], runs(HOUR))
    assert find_shift(load(long, other), long) == -10


def test_what_fires_all_day_has_no_place_to_go() -> None:
    often = demand("often", range(0, WEEK, HOUR))
    assert find_shift(load(often), often) is None
