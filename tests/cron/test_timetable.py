"""The promises of `tick.cron.timetable`, one a test."""

from datetime import UTC, datetime, timedelta, timezone
from random import Random
from time import process_time

import pytest

from tests.cron.expressions import SYSTEMATIC, any_expression
from tick.cron import local_times, timetable
from tick.errors import InvalidCron

PARIS = "Europe/Paris"
ZONES = [PARIS, "UTC", "America/St_Johns", "Australia/Lord_Howe", "Asia/Beirut", "Asia/Tokyo"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(
    expression: str, after: str, count: int, dst: local_times.Dst = local_times.DEFAULT
) -> list[str]:
    """The next instants in Paris, as UTC text without the year."""
    found = timetable.next_times(expression, PARIS, utc(after), count, dst=dst)
    return [f"{instant:%m-%d %H:%M}" for instant in found]


def test_the_next_time_is_strictly_later() -> None:
    assert runs("30 2 * * *", "2026-07-01 00:29:59", 1) == ["07-01 00:30"]
    assert runs("30 2 * * *", "2026-07-01 00:30", 1) == ["07-02 00:30"]


def test_times_come_back_in_aware_utc() -> None:
    (found,) = timetable.next_times("0 9 * * *", PARIS, utc("2026-07-01"))
    assert found.tzinfo is UTC


def test_an_instant_may_be_given_in_any_zone() -> None:
    in_india = datetime(2026, 7, 1, 5, 29, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert timetable.next_times("0 0 * * *", "UTC", in_india) == [utc("2026-07-01 00:00")]


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="must be aware"):
        timetable.next_times("0 9 * * *", PARIS, datetime(2026, 7, 1))


def test_a_fixed_time_in_the_spring_gap_runs_at_the_first_valid_minute() -> None:
    assert runs("30 2 * * *", "2026-03-28", 3) == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]


def test_a_time_in_the_spring_gap_and_one_right_after_it_fire_once() -> None:
    assert runs("0 2,3 * * *", "2026-03-29 00:00", 2) == ["03-29 01:00", "03-30 00:00"]


def test_a_fixed_time_in_the_spring_gap_can_be_skipped() -> None:
    skip = local_times.Dst(gap="skip")
    assert runs("30 2 * * *", "2026-03-28", 2, skip) == ["03-28 01:30", "03-30 00:30"]


@pytest.mark.parametrize(
    ("fold", "expected"),
    [
        ("first", ["10-25 00:30", "10-26 01:30"]),
        ("second", ["10-25 01:30", "10-26 01:30"]),
        ("both", ["10-25 00:30", "10-25 01:30"]),
    ],
)
def test_a_fixed_time_in_the_repeated_hour_runs_as_its_fold_says(
    fold: str, expected: list[str]
) -> None:
    assert runs("30 2 * * *", "2026-10-24 12:00", 2, local_times.Dst(fold=fold)) == expected


def test_wildcards_follow_real_time_whatever_the_dst_policy() -> None:
    spring, autumn = ["03-29 00:30", "03-29 01:00"], ["10-25 00:30", "10-25 01:00", "10-25 01:30"]
    for dst in (local_times.DEFAULT, local_times.Dst(gap="skip", fold="second")):
        assert runs("*/30 * * * *", "2026-03-29 00:00", 2, dst) == spring
        assert runs("*/30 * * * *", "2026-10-25 00:00", 3, dst) == autumn


def test_a_fixed_time_in_a_day_that_was_left_out_is_not_made_up_for() -> None:
    found = timetable.next_times("0 12 * * *", "Pacific/Apia", utc("2011-12-29 00:00"), 2)
    assert found == [utc("2011-12-29 22:00"), utc("2011-12-30 22:00")]


@pytest.mark.parametrize("wrong", [{"gap": "later"}, {"fold": "twice"}])
def test_an_unknown_dst_policy_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidCron, match="write one of"):
        local_times.Dst(**wrong)


def test_previous_is_the_instant_itself_when_it_is_one() -> None:
    assert timetable.previous_time("0 9 * * *", "UTC", utc("2026-07-01 09:00")) == utc(
        "2026-07-01 09:00"
    )
    assert timetable.previous_time("0 9 * * *", "UTC", utc("2026-07-01 08:59:59")) == utc(
        "2026-06-30 09:00"
    )


def test_a_substitute_time_is_rounded_up_to_the_whole_minute() -> None:
    """Monrovia leapt over 44 minutes and a half: from 00:00:00 to 00:44:30."""
    ask, zone = "20 0 * * *", "Africa/Monrovia"
    assert timetable.next_times(ask, zone, utc("1972-01-07 00:44:40")) == [utc("1972-01-07 00:45")]
    yesterday = utc("1972-01-06 01:04:30")
    assert timetable.previous_time(ask, zone, utc("1972-01-07 00:44:40")) == yesterday


def test_times_between_excludes_the_start_includes_the_end_and_is_bounded() -> None:
    start, end = utc("2026-07-01 00:00"), utc("2026-07-01 03:00")
    hourly = [utc(f"2026-07-01 0{hour}:00") for hour in (1, 2, 3)]
    assert timetable.times_between("0 * * * *", "UTC", start, end) == hourly
    assert timetable.times_between("0 * * * *", "UTC", start, end, limit=2) == hourly[:2]
    assert timetable.times_between("0 * * * *", "UTC", end, start) == []


def test_listing_counting_and_looking_back_agree_with_looking_ahead() -> None:
    random = Random("agree")
    for _ in range(2000):
        expression, zone = (
            random.choice([*SYSTEMATIC, any_expression(random)]),
            random.choice(ZONES),
        )
        dst = local_times.Dst(
            random.choice(["first_valid", "skip"]), random.choice(["first", "both"])
        )
        start = utc("2009-01-01") + timedelta(seconds=random.randrange(10**9))
        found = timetable.next_times(expression, zone, start, 40, dst=dst)
        end = found[-1]
        case = (expression, zone, start, dst)
        assert timetable.times_between(expression, zone, start, end, 40, dst=dst) == found, case
        assert timetable.count_between(expression, zone, start, end, dst=dst) == 40, case
        moment = timedelta(microseconds=1)
        assert timetable.count_between(expression, zone, start, end - moment, dst=dst) == 39, case
        assert timetable.previous_time(expression, zone, end - moment, dst=dst) == found[-2], case
        assert timetable.next_times(expression, zone, found[-2], dst=dst) == [end], case


def test_years_of_minutes_are_counted_exactly() -> None:
    start, end = utc("2000-01-01"), utc("2030-01-01")
    minutes = (end - start) // timedelta(minutes=1)
    assert timetable.count_between("* * * * *", PARIS, start, end) == minutes
    assert timetable.count_between("0 12 * * *", PARIS, start, end) == (end - start).days


def test_rare_dates_are_found_both_ways() -> None:
    leap_monday = [utc("2044-02-29"), utc("2072-02-29"), utc("2112-02-29")]
    assert timetable.next_times("0 0 * 2 1#5", "UTC", utc("2017-01-01"), 3) == leap_monday
    assert timetable.previous_time("0 0 * 2 1#5", "UTC", utc("2112-02-28")) == leap_monday[1]


def test_nothing_is_known_before_1900_and_after_2199() -> None:
    ends = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert timetable.next_times("0 0 1 1 *", "UTC", utc("2198-06-01"), 5) == [utc("2199-01-01")]
    assert timetable.next_times("0 0 1 1 *", "UTC", ends[1]) == []
    assert timetable.previous_time("0 0 1 1 *", "UTC", ends[0]) is None
    assert timetable.previous_time("0 0 1 1 *", "UTC", utc("1899-12-31")) is None
    assert timetable.count_between("0 0 1 1 *", "UTC", *ends) == 300


@pytest.mark.parametrize(
    ("expression", "after"),
    [
        ("0 0 * 2 1#5", "2072-03-01"),
        ("0 0 29 2 *", "2096-03-01"),
        ("* * * * *", "2011-12-30 09:59"),
        ("0-59 0-23 * * *", "2011-12-30 09:59"),
        (",".join(map(str, range(0, 56, 2))) + " 1-23/2 2-30/2 * *", "2026-01-01"),
    ],
)
def test_no_expression_takes_a_tenth_of_a_second(expression: str, after: str) -> None:
    """The best of three zones, each asked for the first time, so that a busy machine passes."""
    zones = ["Pacific/Apia", "America/Chicago", "Europe/Madrid"]
    assert min(seconds_for_first_answers(expression, zone, utc(after)) for zone in zones) < 0.1


def seconds_for_first_answers(expression: str, zone: str, after: datetime) -> float:
    started = process_time()
    timetable.next_times(expression, zone, after)
    timetable.previous_time(expression, zone, after)
    return (process_time() - started) / 2


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Pariss",
        "",
        "localtime",
        "Factory",
        "right/UTC",
        "America",
        "../etc/passwd",
        "\0",
        None,
        7,
        ["UTC"],
    ],
)
def test_what_is_no_zone_is_refused(zone: object) -> None:
    for ask in (timetable.validate, timetable.describe):
        with pytest.raises(InvalidCron, match="unknown time zone"):
            ask("0 9 * * *", zone)  # type: ignore[arg-type]
    with pytest.raises(InvalidCron, match="unknown time zone"):
        timetable.next_times("0 9 * * *", zone, utc("2026-01-01"))  # type: ignore[arg-type]


def test_a_mistyped_zone_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(InvalidCron, match="such as 'Europe/Paris'"):
        timetable.validate("0 9 * * *", "Europe/Pariss")
