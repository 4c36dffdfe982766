"""The table of engines by name: fields, weekdays, steps, and the clock changes of each."""

from datetime import UTC, datetime

import pytest

from tests.cron.dialects.rows import texts
from tick.cron.dialects import NAMES, dialect
from tick.errors import InvalidCron

BERLIN_SPRING = ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC))
BERLIN_AUTUMN = ("Europe/Berlin", datetime(2026, 10, 24, 22, 30, tzinfo=UTC))
NEW_YEAR = ("UTC", datetime(2025, 12, 31, 12, tzinfo=UTC))


def first(
    engine: str, expression: str, where: tuple[str, datetime] = NEW_YEAR, count: int = 1
) -> list[str]:
    """The next instants, to the minute and without the year."""
    zone, after = where
    found = dialect(engine).next_times(expression, zone, after, count)
    return [each[5:16].replace("T", " ") for each in texts(found)]


def test_a_time_that_spring_skips_is_made_up_for_or_left_out() -> None:
    made_up, left_out = ["03-29 01:00"], ["03-30 00:30"]
    for engine in ("debian-cron", "cronie", "croner"):
        assert first(engine, "30 2 * * *", BERLIN_SPRING) == made_up, engine
    for engine in ("busybox-crond", "node-cron"):
        assert first(engine, "30 2 * * *", BERLIN_SPRING) == left_out, engine


def test_a_time_that_autumn_repeats_fires_once_twice_or_second() -> None:
    once, twice = ["10-25 00:30", "10-26 01:30"], ["10-25 00:30", "10-25 01:30"]
    for engine in ("debian-cron", "cronie", "croner"):
        assert first(engine, "30 2 * * *", BERLIN_AUTUMN, 2) == once, engine
    assert first("busybox-crond", "30 2 * * *", BERLIN_AUTUMN, 2) == twice
    assert first("node-cron", "30 2 * * *", BERLIN_AUTUMN, 1) == ["10-25 01:30"]


def test_node_cron_takes_the_first_pass_west_of_greenwich() -> None:
    autumn = ("America/New_York", datetime(2026, 11, 1, 3, tzinfo=UTC))
    assert first("node-cron", "30 1 * * *", autumn, 2) == ["11-01 05:30", "11-02 06:30"]


def test_croner_makes_up_for_single_times_only() -> None:
    assert first("croner", "15 2-3 * * *", BERLIN_SPRING) == ["03-29 01:15"]
    assert first("croner", "15 2-3 * * *", BERLIN_AUTUMN, 2) == ["10-25 00:15", "10-25 01:15"]


def test_the_thirteenth_and_friday_are_either_or_both() -> None:
    for engine in ("debian-cron", "cronie", "busybox-crond", "croner"):
        assert first(engine, "0 0 13 * 5") == ["01-02 00:00"], engine
    assert first("node-cron", "0 0 13 * 5") == ["02-13 00:00"]


def test_a_star_with_a_step_counts_as_a_star_in_debian_and_cronie_alone() -> None:
    for engine in ("debian-cron", "cronie"):
        assert first(engine, "0 0 */2 * 5") == ["01-09 00:00"], engine
    assert first("croner", "0 0 */2 * 5") == ["01-01 00:00"]


def test_busybox_counts_days_from_zero() -> None:
    assert first("busybox-crond", "0 0 */10 * *", count=3) == [
        "01-10 00:00",
        "01-20 00:00",
        "01-30 00:00",
    ]
    assert first("busybox-crond", "0 0 * */5 *", count=2) == ["01-01 00:00", "01-02 00:00"]


def test_a_range_that_runs_backwards_wraps_or_never_runs_or_is_refused() -> None:
    for engine in ("busybox-crond", "node-cron"):
        assert first(engine, "0 22-2 * * *", count=3) == [
            "12-31 22:00",
            "12-31 23:00",
            "01-01 00:00",
        ], engine
    for engine in ("debian-cron", "cronie"):
        assert first(engine, "0 22-2 * * *") == [], engine
    with pytest.raises(InvalidCron, match="runs backwards"):
        dialect("croner").parse("0 22-2 * * *")


def test_debian_ignores_what_it_does_not_know_and_cronie_refuses_it() -> None:
    assert first("debian-cron", "0 0 * * 1#1", count=2) == ["01-05 00:00", "01-12 00:00"]
    assert first("debian-cron", "0~30 4 * * *") == ["01-01 04:00"]
    with pytest.raises(InvalidCron, match="#1"):
        dialect("cronie").parse("0 0 * * 1#1")


def test_cronie_draws_a_minute_when_it_loads_the_table() -> None:
    assert dialect("cronie").random("0~30 4 ~ * *") == "minute 0-30, day 1-31"
    assert dialect("debian-cron").random("0~30 4 * * *") is None


def test_an_open_step_is_refused_by_the_daemons() -> None:
    for engine in ("debian-cron", "cronie", "croner", "node-cron"):
        with pytest.raises(InvalidCron, match="a step needs a range"):
            dialect(engine).parse("0 5/7 * * *")
    assert first("busybox-crond", "0 5/7 * * *", count=2) == ["01-01 05:00", "01-02 05:00"]


def test_busybox_has_no_seventh_weekday() -> None:
    with pytest.raises(InvalidCron, match="from 0 to 6"):
        dialect("busybox-crond").parse("0 0 * * 7")


def test_celery_and_systemd_are_silent_in_the_second_pass() -> None:
    late = ("Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert first("celery", "*/30 * * * *", late) == ["10-25 02:00"]
    assert first("systemd", "*:0/30", late) == ["10-25 02:00"]
    assert first("quartz", "0 0/30 2 * * ?", BERLIN_AUTUMN) == ["10-25 01:00"]


def test_apscheduler_loses_the_midnight_after_the_spring_day_and_begins_on_monday() -> None:
    assert first("APScheduler", "0 0 * * *", BERLIN_SPRING, 2) == ["03-28 23:00", "03-30 22:00"]
    assert first("APScheduler", "0 0 * * 0") == ["01-05 00:00"]


def test_npm_cron_is_an_hour_early_in_autumn() -> None:
    assert first("cron", "0 3 * * *", BERLIN_AUTUMN, 2) == ["10-25 01:00", "10-25 02:00"]


def test_quartz_counts_sunday_as_one_and_knows_years() -> None:
    assert first("quartz", "0 0 0 ? * 1") == ["01-04 00:00"]
    assert first("quartz", "0 0 12 1 1 ? 2099") == ["01-01 12:00"]


def test_an_unknown_engine_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidCron, match="did you mean cronie"):
        dialect("croniee")


@pytest.mark.parametrize("engine", NAMES)
def test_a_refusal_names_the_engine(engine: str) -> None:
    with pytest.raises(InvalidCron, match=engine):
        dialect(engine).parse("61 * * * *")
