"""Twelve months of many zones: every way to ask agrees, and new zone data lose nothing."""

import subprocess
import sys
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from random import Random

import pytest
from croniter import croniter

from tests.support.zones import released, shifted
from tick.cron import timetable
from tick.cron.grammar import parse
from tick.cron.zone_data import Zone, ZoneData, current, using
from tick.cron.zones import ZonePeriod, periods_from, zone_names
from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.rule import Rule
from tick.policy.zone_moves import go_on_after
from tick.states import ScheduleKind
from tick.zone_sources import folder

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
CHANGE, END = START + timedelta(days=182), START + timedelta(days=365)
# Zones whose data differ between the releases of 2024, 2025 and 2026, and twenty others.
MOVED = (
    *("America/Vancouver", "America/Edmonton", "America/Winnipeg", "America/Inuvik"),
    *("America/Havana", "Africa/Casablanca", "Africa/El_Aaiun", "Europe/Chisinau"),
    *("America/Tijuana", "America/Asuncion", "Asia/Manila", "America/Rainy_River"),
)
OTHERS = (
    *("Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Los_Angeles"),
    *("Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Apia", "Pacific/Chatham"),
    *("Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Asia/Jerusalem"),
    *("Africa/Cairo", "America/Santiago", "America/Nuuk", "America/Sao_Paulo"),
    *("Antarctica/Troll", "Pacific/Kiritimati", "Etc/GMT+12"),
)
EXPRESSIONS = (
    *("0 9 * * *", "0 9,10 * * *", "30 2 * * *", "0 0 * * *", "59 23 * * *", "15 1-3 * * *"),
    *("0 * * * *", "*/30 2 * * *", "0 */6 * * *", "*/20 * * * 1", "0 3 1 * *", "0 0 L * *"),
    *("0 9 1 1 *", "30 1 * * 0", "0 2 * * 1-5", "45 2 29 3 *", "0 12 1 */3 *", "5 0 15 * 5"),
    *("0 2,14 * * *", "0 1 * 3,4,10,11 *"),
)
MORE = (
    *("1 0 * * *", "0 4 * * 6", "30 3 * * *", "0 1,2,3 * * *", "10 2 * * 7", "* 2 * * *"),
    *("*/15 * * * *", "0 0 1 * *", "0 23 31 12 *", "0 5 L * *", "0 8 * * mon#1", "0 8 * * L5"),
    *("0 0-23 * * *", "30 * * * *", "0 */2 * * *", "7 */3 * * *", "0 6 * * 2,4", "0 18 25-31 * *"),
    *("0 10 29 2 *", "20 2 8-14 3 0", "0 0 * * 1", "59 1 * * *", "1 3 * * *", "0 2 25 10 *"),
    *("0 3 29 3 *", "30 0 * 4 *", "45 23 * * *", "0 7 1,15 * *", "50 1 * 11 *", "0 9 * 3 1"),
)
PINNED = ("2024.1", "2025.2", "2026.1")
# Nine tenths of all instants: judged once for each set of clocks, not for each name of a zone.
DENSE = {
    *("0 * * * *", "30 * * * *", "0 0-23 * * *", "0 */2 * * *"),
    *("*/15 * * * *", "* 2 * * *", "*/20 * * * 1", "7 */3 * * *"),
}


def pairs(
    zones: tuple[str, ...], expressions: tuple[str, ...], share: int
) -> Iterator[tuple[str, Rule]]:
    """Each zone with some of the expressions, all of them in turn."""
    for number, zone in enumerate(zones):
        for offset in range(share):
            cron = expressions[(number * share + offset) % len(expressions)]
            random = Random(f"{zone} {cron}")
            yield (
                f"{zone} {cron}",
                Rule(
                    kind=ScheduleKind.CRON,
                    cron=cron,
                    timezone=zone,
                    gap=random.choice(("first_valid", "skip")),
                    fold=random.choice(("first", "second", "both")),
                    offset_seconds=random.choice((0.0, 0.0, 613.0)),
                ),
            )


def walk(rule: Rule, after: datetime, until: datetime) -> list[datetime]:
    """The instants one after another, as ticks ask for them."""
    found = []
    while (following := instants.first_after(rule, after)) is not None and following <= until:
        found.append(following)
        after = following
    return found


def judge(rule: Rule) -> list[datetime]:
    """The instants of the year, after all ways to ask for them were compared."""
    forward = walk(rule, START, END)
    assert instants.between(rule, START, END, 10**6) == forward
    assert instants.count(rule, START, END) == len(forward)
    backward, until = [], END
    while (latest := instants.latest_until(rule, START, until)) is not None:
        backward.append(latest)
        until = just_before(latest)
    assert backward[::-1] == forward
    known = set(forward)
    for moment in around(rule, forward):
        if START < moment <= END:
            assert instants.is_instant(rule, moment) == (moment in known), moment
    return forward


def around(rule: Rule, forward: list[datetime]) -> Iterator[datetime]:
    """The minutes half an hour around some instants, and around every clock change."""
    changes = (
        [
            period.start.replace(tzinfo=UTC)
            for period in periods_from(rule.timezone, START.replace(tzinfo=None))
            if START.replace(tzinfo=None) < period.start < END.replace(tzinfo=None)
        ]
        if len(forward)
        else []
    )
    offset = timedelta(seconds=rule.offset_seconds)
    for moment in [*forward[:: max(len(forward) // 3, 1)], *(at + offset for at in changes)]:
        yield from (moment + minutes * MINUTE for minutes in range(-30, 31, 3))


def moved(zone: str, hours: float) -> Zone:
    """The zone in a release whose clocks change for good, half-way."""
    offset = CHANGE.astimezone(current().zone(zone).tzinfo).utcoffset() or timedelta()
    data = shifted(zone, CHANGE, offset.total_seconds() / 3600 + hours)
    return released("2099a", {zone: data}).zone(zone)


def judge_update(rule: Rule, new: Zone, around: datetime = CHANGE) -> None:
    """New data after any instant that was decided: each wall time once, and none left out."""
    old, after = current().zone(rule.timezone), replace(rule, zone=new)
    before = walk(rule, around - 26 * HOUR, around - 4 * HOUR)
    for decided_to in (*before, *walk(rule, around - 4 * HOUR, around + 26 * HOUR)):
        since = go_on_after(rule, after, decided_to)
        last = wall(rule, decided_to, old)
        passed_over = instants.between(after, decided_to, since, 1000)
        assert all(wall(rule, at, new) <= last for at in passed_over), decided_to
        if not parse(rule.cron or "").follows_real_time:
            for at in instants.between(after, since, since + 6 * HOUR, 1000):
                named = at - timedelta(seconds=rule.offset_seconds)
                asked_for = rule.fold == "both" and named.astimezone(new.tzinfo).fold
                assert asked_for or wall(rule, at, new) > last, (decided_to, at)


def wall(rule: Rule, at: datetime, zone: Zone) -> datetime:
    """The wall time that it fires for: after a leap, the latest that the clocks leapt over."""
    at -= timedelta(seconds=rule.offset_seconds)
    shown = at.astimezone(zone.tzinfo).replace(tzinfo=None, fold=0)
    while not parse(rule.cron or "").count(shown, shown + MINUTE):
        shown -= MINUTE
    return shown


SAMPLE = tuple(pairs(MOVED + OTHERS, EXPRESSIONS, 1))


@pytest.mark.parametrize("rule", [rule for _, rule in SAMPLE], ids=[name for name, _ in SAMPLE])
def test_forward_backward_counted_and_due_now_agree_for_twelve_months(rule: Rule) -> None:
    judge(rule)


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("zone", MOVED[::2])
def test_new_data_half_way_leave_no_instant_out_and_repeat_no_wall_time(
    zone: str, hours: float
) -> None:
    new = moved(zone, hours)
    for _, rule in pairs((zone,), EXPRESSIONS, 10):
        judge_update(rule, new)


@pytest.fixture(scope="session", params=PINNED)
def pinned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ZoneData:
    """An earlier release of the data, as it was published."""
    place = tmp_path_factory.mktemp("tzdata")
    wanted = f"tzdata=={request.param}"
    install = [sys.executable, "-m", "pip", "install", "-q", "--target", str(place), wanted]
    subprocess.run(install, check=True)
    return ZoneData([folder(place / "tzdata" / "zoneinfo")])


class Remembering:
    """A croniter that works out each answer once: it walks naive times, whatever the zone."""

    def __init__(self, walker: croniter) -> None:
        self.get_next, self.get_prev = cache(walker.get_next), cache(walker.get_prev)

    def __copy__(self) -> "Remembering":
        return self


WALKER = cache(lambda fields, walker=timetable._walker: Remembering(copy(walker(fields))))


@pytest.fixture
def shared_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All zones share croniter's walks, which would take four fifths of the hours."""
    monkeypatch.setattr(timetable, "_walker", WALKER)


def clocks(zone: str) -> tuple[ZonePeriod, ...]:
    """Return the offsets of a zone from two years before the walk until two after it."""
    first, end = (edge.replace(tzinfo=None) for edge in (START - 730 * DAY, END + 730 * DAY))
    return tuple(takewhile(lambda period: period.start < end, periods_from(zone, first)))


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.usefixtures("shared_walks")
def test_an_update_from_a_pinned_release_leaves_nothing_out(pinned: ZoneData) -> None:
    newest = current()
    for zone in sorted(zone_names()):
        old, new = pinned.find(zone), newest.zone(zone)
        if old is None or old == new:
            continue
        with using(pinned):
            for _, rule in pairs((zone,), EXPRESSIONS + MORE, 50):
                judge(rule)
                for month in range(12):
                    judge_update(rule, new, START + month * timedelta(days=30))


@pytest.mark.soak
@pytest.mark.usefixtures("shared_walks")
@pytest.mark.parametrize("zone", sorted(zone_names()))
def test_all_zones_and_fifty_expressions(zone: str) -> None:
    others = [moved(zone, hours) for hours in (1, -1, 0.5, -0.5)]
    for _, rule in pairs((zone,), EXPRESSIONS + MORE, 50):
        if rule.cron not in DENSE:
            judge(rule)
        for new in others:
            judge_update(rule, new)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.usefixtures("shared_walks")
def test_dense_expressions_in_zones_of_every_kind_of_clock() -> None:
    for zone in {clocks(zone): zone for zone in sorted(zone_names())}.values():
        for _, rule in pairs((zone,), tuple(sorted(DENSE)), len(DENSE)):
            judge(rule)
