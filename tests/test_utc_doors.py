"""Every public door reckons in real time, whatever zone the datetimes have that it is handed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.factories import TESTER, World, a_schedule
from tick import job
from tick.cli.parameters import INSTANT
from tick.define.mistakes import find_in_timing
from tick.engine.ledger.audit import Act
from tick.errors import InvalidInstant
from tick.ops.actions import alerts, run_now, switches, windows
from tick.ops.actions.backfill import plan_backfill
from tick.ops.reports.verify import verify
from tick.ops.reports.verify_parts import prove_part
from tick.ops.reports.why import explain
from tick.policy import instants
from tick.testing import assert_fires, fires, simulate
from tick.ticks import simulation, tick
from tick.utc import utc
from webapp.run_search import read_instant

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
# A zone and the real instant at which its clocks change.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 5, 3, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
]
pytestmark = pytest.mark.parametrize(("zone", "change"), CHANGES)


@dataclass(frozen=True)
class Here:
    """A zone, by which an instant is named as people there do."""

    zone: str

    def __call__(self, at: datetime) -> datetime:
        """The same instant with the zone's wall time."""
        return at.astimezone(ZoneInfo(self.zone))


@job(group="feed")
def refresh_feed() -> None:
    """A job of the team."""


def around(change: datetime) -> list[datetime]:
    """Instants on both sides of a change, its own and those whose wall times meet."""
    return [change + minutes * 15 * MINUTE for minutes in range(-12, 13)]


def test_fires_takes_real_time(zone: str, change: datetime) -> None:
    here = Here(zone)
    for cron in ("*/30 * * * *", "30 2 * * *", "0 * * * *"):
        schedule = a_schedule("report", cron=cron, timezone=zone)
        for start in around(change):
            for length in (45 * MINUTE, 3 * HOUR, 2 * DAY):
                end = start + length
                wanted = fires(schedule, start, end)
                assert fires(schedule, here(start), here(end)) == wanted
                assert_fires(schedule, here(start), here(end), wanted)
                assert_fires(schedule, start, end, [at.astimezone(UTC) for at in wanted])


def test_a_failed_assertion_names_the_instants(zone: str, change: datetime) -> None:
    schedule = a_schedule("report", cron="*/30 * * * *", timezone=zone)
    here = Here(zone)
    due = fires(schedule, change - HOUR, change + HOUR)
    with pytest.raises(AssertionError) as caught:
        assert_fires(schedule, change - HOUR, change + HOUR, [*due[1:], due[1], here(change + DAY)])
    assert str(caught.value).splitlines() == [
        "report:",
        f"  fires, and is not expected: {due[0]}",
        f"  does not fire: {here(change + DAY)}",
        f"  is expected more than once: {due[1]}",
    ]


def test_a_simulation_takes_real_time(zone: str, change: datetime) -> None:
    here = Here(zone)
    schedule = a_schedule("hourly", cron="0 * * * *", timezone=zone)

    def lines(said: Callable[[datetime], datetime]) -> list[tuple[str, datetime]]:
        found = simulate(
            [schedule],
            [refresh_feed],
            said(change - 5 * HOUR),
            said(change + 5 * HOUR),
            down=[(said(change + 0.25 * HOUR), said(change + 1.25 * HOUR))],
            windows=[(said(change + 2.25 * HOUR), said(change + 3.25 * HOUR))],
        )
        assert found.verified.ok
        return [(line.outcome, line.scheduled_for) for line in found.lines]

    wanted = lines(lambda at: at)
    assert {outcome for outcome, _ in wanted} == {"SUCCESS", "MISSED", "BLACKOUT"}
    assert lines(here) == wanted


def test_a_tick_takes_real_time(zone: str, change: datetime, world: World) -> None:
    here = Here(zone)
    world.now = here(change - 3 * HOUR)
    world.define(a_schedule(cron="*/30 * * * *", timezone=zone, overlap="ALLOW", grace=120.0))
    world.enable()
    for half_hour in range(12):
        for minute in (1, 15, 29):  # after an instant, between two, before the next
            world.tick(here(change - 3 * HOUR + (half_hour * 30 + minute) * MINUTE))
    assert {outcome for outcome, _, _ in world.ledger()} == {"QUEUED"}
    assert len(world.ledger()) == 11


def test_a_late_tick_is_late_by_real_time(zone: str, change: datetime, world: World) -> None:
    here = Here(zone)
    world.now = here(change - 90 * MINUTE)
    world.define(a_schedule(cron="0,30 * * * *", timezone=zone, overlap="ALLOW", grace=120.0))
    world.enable()
    world.tick(here(change + 10 * MINUTE))
    assert [outcome for outcome, _, _ in world.ledger()] == ["MISSED"]


def test_the_calculator_takes_real_time(zone: str, change: datetime) -> None:
    here = Here(zone)
    for rule in (
        a_schedule(cron="*/30 * * * *", timezone=zone).rule(),
        a_schedule(every=timedelta(minutes=45), anchor=here(change - DAY)).rule(),
        a_schedule(at=here(change), starts_at=here(change - HOUR), ends_at=here(change)).rule(),
    ):
        for start in around(change):
            end = start + 3 * HOUR
            found = instants.between(rule, start, end, 100)
            assert instants.between(rule, here(start), here(end), 100) == found
            assert instants.count(rule, here(start), here(end)) == len(found)
            assert instants.latest_until(rule, here(start), here(end)) == (
                found[-1] if found else None
            )
            for index, at in enumerate(found):
                assert instants.nth(rule, here(start), here(end), index) == at
                assert instants.is_instant(rule, here(at))
                assert at.tzinfo is UTC


def test_a_schedule_takes_real_time(zone: str, change: datetime) -> None:
    here = Here(zone)
    for at in around(change):
        by_wall = a_schedule(
            every=HOUR, anchor=here(at), starts_at=here(at), ends_at=here(at + DAY)
        )
        in_utc = a_schedule(every=HOUR, anchor=at, starts_at=at, ends_at=at + DAY)
        assert by_wall.rule().to_json() == in_utc.rule().to_json()
        assert a_schedule(at=here(at)).rule() == a_schedule(at=at).rule()


def test_what_people_ask_for_is_real_time(zone: str, change: datetime, world: World) -> None:
    here = Here(zone)
    world.now = change - 6 * HOUR
    world.define(a_schedule(cron="*/30 * * * *", timezone=zone))
    world.enable()
    start, end, now = change - HOUR, change + 45 * MINUTE, change + 6 * HOUR
    world.tick(now)
    backfill = plan_backfill(world.database, "daily", start, end, now=now)
    assert len(backfill.wanted) == 4
    asked = plan_backfill(world.database, "daily", here(start), here(end), now=here(now))
    assert asked.wanted == backfill.wanted
    proof = verify(world.database, start, end)
    assert verify(world.database, here(start), here(end)) == proof
    assert prove_part(world.database, here(start), here(end)) == prove_part(
        world.database, start, end
    )
    with world.database.read.connect() as connection:
        for at in backfill.wanted:
            answer = explain(connection, "daily", at, now)
            assert explain(connection, "daily", here(at), here(now)) == answer
    made = run_now.run_slots(world.database, Act(here(now), TESTER), "daily", [here(start), start])
    assert len(made) == 1


def test_ends_that_people_name_are_real_time(zone: str, change: datetime, world: World) -> None:
    """45 minutes later may be an earlier wall time, or one that looks a day off."""
    here = Here(zone)
    now, until = here(change - 20 * MINUTE), here(change + 25 * MINUTE)
    world.now = now
    world.define(a_schedule())
    windows.add_window(
        world.database, Act(now, TESTER, reason="disks"), starts_at=now, ends_at=until
    )
    alerts.mute(world.database, Act(now, TESTER, reason="disks"), until=until)
    switches.pause_schedule(world.database, Act(now, TESTER, reason="disks"), "daily", until=until)
    assert world.schedule().state_until == change + 25 * MINUTE


def test_texts_are_read_as_real_time(zone: str, change: datetime) -> None:
    here = Here(zone)
    for at in around(change):
        assert INSTANT.convert(here(at).isoformat(), None, None) == at
        assert INSTANT.convert(here(at), None, None).tzinfo is UTC
        assert read_instant(here(at).isoformat(), at, ZoneInfo(zone)) == at
        assert read_instant("30m", here(at), ZoneInfo(zone)) == at - 30 * MINUTE


def test_a_datetime_that_names_no_instant_is_refused_in_a_sentence(
    zone: str, change: datetime, world: World
) -> None:
    naive = change.replace(tzinfo=None)
    far = datetime(1, 1, 1, tzinfo=ZoneInfo(zone) if change.hour % 2 else UTC)
    world.define(a_schedule())
    doors: list[Callable[[datetime], object]] = [
        utc,
        lambda at: tick.run_tick(world.runtime, at),
        lambda at: tick.decide_due(world.runtime, at, tick_seconds=60),
        lambda at: simulation.simulate(world.registry, at, change),
        lambda at: verify(world.database, at, change),
        lambda at: plan_backfill(world.database, "daily", at, change, now=change),
        lambda at: windows.add_window(
            world.database, Act(change, TESTER, reason="x"), starts_at=at, ends_at=change
        ),
        lambda at: switches.pause_schedule(
            world.database, Act(change, TESTER, reason="x"), "daily", until=at
        ),
        lambda at: run_now.run_slots(world.database, Act(change, TESTER), "daily", [at]),
    ]
    for door in doors:
        with pytest.raises(InvalidInstant, match=r"needs a time zone.*write datetime\(…, tzinfo"):
            door(naive)
        with pytest.raises(InvalidInstant, match=r"too far away|outside of the years"):
            door(far)


def test_a_wall_time_that_there_is_not_is_a_mistake(zone: str, change: datetime) -> None:
    before = Here(zone)(change - MINUTE)
    after = Here(zone)(change)
    leap = after.replace(tzinfo=None) - before.replace(tzinfo=None) - MINUTE
    skipped = (before.replace(tzinfo=None) + MINUTE).replace(tzinfo=ZoneInfo(zone))
    for name in ("at", "anchor", "starts_at", "ends_at"):
        how = {"every": HOUR} if name != "at" else {}
        found = find_in_timing(a_schedule(**how, **{name: skipped}))
        assert any("which the clocks skip" in mistake for mistake in found) == (leap > timedelta(0))
