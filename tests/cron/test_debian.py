"""Cron in time zones agrees with a daemon that walks every minute by Debian's rules."""

import re
import struct
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from cronsim import CronSim

from tests.cron.expressions import SYSTEMATIC, aimed_expression, any_expression
from tests.cron.simulator import Daemon, clock_changes, wall_of
from tests.support.zones import released
from tick.cron import local_times, timetable
from tick.cron.zone_data import find_zone, using
from tick.cron.zones import zone_names

# Each with the kind of clock change that makes it interesting.
CHANGES = {
    "New York, at 02:00": ("America/New_York", 2026),
    "New York, before 2007": ("America/New_York", 2005),
    "New York, as far ahead as rules reach": ("America/New_York", 2098),
    "London, at 01:00": ("Europe/London", 2026),
    "London, two hours ahead in the war": ("Europe/London", 1941),
    "Paris": ("Europe/Paris", 2026),
    "Berlin, double summer time": ("Europe/Berlin", 1945),
    "Dublin, winter time is the exception": ("Europe/Dublin", 2026),
    "Lisbon, in the middle of the night": ("Europe/Lisbon", 2025),
    "Azores, at midnight": ("Atlantic/Azores", 2026),
    "Riga": ("Europe/Riga", 2024),
    "Moscow, for good": ("Europe/Moscow", 2011),
    "Istanbul": ("Europe/Istanbul", 2015),
    "Lord Howe, half an hour": ("Australia/Lord_Howe", 2026),
    "Sydney, the southern seasons": ("Australia/Sydney", 2026),
    "Adelaide": ("Australia/Adelaide", 2026),
    "Auckland": ("Pacific/Auckland", 2026),
    "Chatham, at 02:45": ("Pacific/Chatham", 2026),
    "St John's, at 00:01": ("America/St_Johns", 2009),
    "St John's, half-hour zone": ("America/St_Johns", 2026),
    "Sao Paulo, midnight skipped": ("America/Sao_Paulo", 2017),
    "Santiago": ("America/Santiago", 2026),
    "Asuncion": ("America/Asuncion", 2023),
    "Havana, midnight skipped": ("America/Havana", 2026),
    "Nuuk, at 22:00": ("America/Nuuk", 2022),
    "Scoresbysund": ("America/Scoresbysund", 2024),
    "Caracas, half an hour back": ("America/Caracas", 2007),
    "Beirut, midnight skipped": ("Asia/Beirut", 2026),
    "Cairo": ("Africa/Cairo", 2026),
    "Gaza, four times a year": ("Asia/Gaza", 2026),
    "Jerusalem": ("Asia/Jerusalem", 2026),
    "Tehran, at midnight": ("Asia/Tehran", 2021),
    "Kathmandu, a quarter of an hour": ("Asia/Kathmandu", 1985),
    "Pyongyang, half an hour": ("Asia/Pyongyang", 2015),
    "Casablanca, back for Ramadan": ("Africa/Casablanca", 2026),
    "El Aaiun": ("Africa/El_Aaiun", 2025),
    "Casablanca, an hour before a UTC year": ("Africa/Casablanca", 1985),
    "Sao Tome, at the start of a year": ("Africa/Sao_Tome", 2019),
    "Rankin Inlet, with a UTC year": ("America/Rankin_Inlet", 1957),
    "Monrovia, by 44 minutes 30 seconds": ("Africa/Monrovia", 1972),
    "Dublin, by odd seconds": ("Europe/Dublin", 1916),
    "Troll, two hours": ("Antarctica/Troll", 2026),
    "Casey, three hours": ("Antarctica/Casey", 2020),
    "Apia, a day left out": ("Pacific/Apia", 2011),
    "Kiritimati, a day left out": ("Pacific/Kiritimati", 1994),
    "Kwajalein, a day repeated": ("Pacific/Kwajalein", 1969),
    "Kwajalein, a day left out": ("Pacific/Kwajalein", 1993),
}
POLICIES = [local_times.DEFAULT] * 6 + [
    local_times.Dst(gap, fold)
    for gap in ("first_valid", "skip")
    for fold in ("first", "second", "both")
]
WINDOW = timedelta(hours=30)
# What happens this close to a clock change does not depend on what came before the window.
JUDGED = timedelta(hours=5)


@pytest.mark.parametrize(("zone", "year"), CHANGES.values(), ids=CHANGES)
def test_every_run_around_a_clock_change_is_the_one_of_debians_cron(zone: str, year: int) -> None:
    random = Random(f"{zone} {year}")
    changes = clock_changes(zone, year)
    assert changes, "the zone has no clock change in that year"
    for change in changes[:4]:
        daemon = Daemon(zone, change, WINDOW, JUDGED)
        wall = wall_of(find_zone(zone), change)
        for expression in SYSTEMATIC + [aimed_expression(random, wall) for _ in range(20)]:
            dst = random.choice(POLICIES)
            judged = daemon.fires(expression, dst.gap, dst.fold)
            for _ in range(8):
                start = _rounded(random, change + JUDGED * random.uniform(-1, 1))
                _judge(zone, expression, dst, judged, change, start)


@pytest.mark.parametrize("rule", ["STD0DST,J100/0,J365/24:30", "STD0DST,J365/22,J100/0"])
def test_a_clock_change_at_the_turn_of_a_utc_year_is_seen_from_both_sides(
    rule: str, made_up_zone: Callable[[str], str]
) -> None:
    test_every_run_around_a_clock_change_is_the_one_of_debians_cron(made_up_zone(rule), 2026)


@pytest.fixture
def made_up_zone(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Adds a time zone with a rule of the TZ variable's form; no real one changes so near."""
    before = zoneinfo.TZPATH

    def add(rule: str) -> str:
        name = f"Made_Up/{len(rule)}"
        (tmp_path / "Made_Up").mkdir()
        nothing = b"TZif2" + bytes(15) + struct.pack(">6L", 0, 0, 0, 0, 1, 4)
        types = struct.pack(">lBB", 0, 0, 0) + b"STD\0"
        content = (nothing + types) * 2 + f"\n{rule}\n".encode()
        (tmp_path / name).write_bytes(content)
        zoneinfo.reset_tzpath([str(tmp_path), *before])
        zone_names.cache_clear()
        ours.enter_context(using(released(None, {name: content})))
        return name

    with ExitStack() as ours:
        yield add
    zoneinfo.reset_tzpath(before)
    zone_names.cache_clear()


def _judge(
    zone: str,
    expression: str,
    dst: local_times.Dst,
    fires: list[datetime],
    change: datetime,
    start: datetime,
) -> None:
    """Ask all three ways about the time around the change; `fires` is all that is right there."""
    case = f"{expression} in {zone} after {start}, {dst}"
    end = change + JUDGED
    due = [fire for fire in fires if fire > start]
    found = timetable.next_times(expression, zone, start, 4, dst=dst)
    assert found == sorted(set(found)), case
    assert [fire for fire in found if fire <= end] == due[:4], case
    assert timetable.count_between(expression, zone, start, end, dst=dst) == len(due), case
    latest = timetable.previous_time(expression, zone, start, dst=dst)
    assert latest is not None, case
    if past := [fire for fire in fires if fire <= start]:
        assert latest == past[-1], case
    else:
        assert latest < change - JUDGED, case


def _rounded(random: Random, start: datetime) -> datetime:
    """Most starts on a whole minute, where being late or early by one shows."""
    return start if random.random() < 0.2 else start.replace(second=0, microsecond=0)


def test_there_are_enough_zones_in_both_halves_of_the_year() -> None:
    seasons = [
        change.month for zone, year in CHANGES.values() for change in clock_changes(zone, year)
    ]
    assert len({zone for zone, _ in CHANGES.values()}) >= 25
    assert sum(month <= 6 for month in seasons) >= 25
    assert sum(month > 6 for month in seasons) >= 25


def test_calendars_agree_with_cronsim_in_utc() -> None:
    random = Random("calendars")
    for _ in range(4000):
        expression = any_expression(random)
        start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(3_000_000))
        oracle = CronSim(expression, start)
        expected = [next(oracle) for _ in range(3)]
        assert timetable.next_times(expression, "UTC", start, 3) == expected, (expression, start)


@pytest.mark.parametrize(
    "zone",
    ["Europe/Berlin", "America/New_York", "Europe/London", "Australia/Sydney", "America/Denver"],
)
def test_zones_that_move_by_an_hour_agree_with_cronsim(zone: str) -> None:
    """cronsim goes astray after a start in a repeated hour, so there are none such here."""
    random, info = Random(zone), find_zone(zone)
    for change in clock_changes(zone, 2026) * 150:
        start = _rounded(random, change - timedelta(minutes=random.randint(61, 3000)))
        expression = random.choice([*SYSTEMATIC, aimed_expression(random, wall_of(info, change))])
        oracle = CronSim(re.sub(r"L(\d)", r"\1L", expression), start.astimezone(info))
        expected = [next(oracle).astimezone(UTC) for _ in range(5)]
        assert timetable.next_times(expression, zone, start, 5) == expected, (expression, start)
