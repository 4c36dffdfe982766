"""Other time zone data: nothing is lost, nothing fires twice, and old rows stay what they were."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_schedule
from tests.support.zones import fixed, released
from tick.cron.zone_data import using
from tick.engine.ledger.audit import Act
from tick.errors import OlderZoneData
from tick.notify import rules
from tick.notify.inputs import read_inputs
from tick.ops.actions import switches
from tick.ops.reports.verify import Proof, verify
from tick.ops.reports.why import explain
from tick.store.tables import audit_entry, job_schedule, schedule_version, zone_data
from tick.syncing import ensure_synced, sync_definitions

ZONE = "America/Vancouver"
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
NINE = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)  # nine o'clock at UTC-8
OLD = released("2025b", {ZONE: fixed(-8)})
EARLIER = released("2026f", {ZONE: fixed(-7)})
LATER = released("2026f", {ZONE: fixed(-9)})
SAME_ELSEWHERE = released(None, {ZONE: fixed(-8)}, place="/another/folder")


@pytest.fixture(autouse=True)
def old_data() -> Iterator[None]:
    with using(OLD):
        yield


def start(world: World, now: datetime = NINE - DAY - HOUR, **parts: Any) -> World:
    """A schedule at nine in Vancouver, on since a day before."""
    world.now = now
    world.define(a_schedule(timezone=ZONE, **{"cron": "0 9 * * *", **parts}))
    world.enable()
    return world


def fired(world: World, schedule_id: str = "daily") -> list[datetime | None]:
    return [at for outcome, at, _ in world.ledger(schedule_id) if outcome == "QUEUED"]


def proof(world: World) -> Proof:
    return verify(world.database, world.now - 30 * DAY, world.now)


def entries(world: World) -> list[Any]:
    a = audit_entry.c
    return world.rows(
        sa.select(a.action, a.actor, a.before, a.after).where(a.action.startswith("zone_data"))
    )


def test_an_instant_that_newer_data_put_earlier_wakes_the_tick_in_time(world: World) -> None:
    start(world)
    world.tick(NINE - DAY)
    world.finish_runs()
    with using(EARLIER):
        world.tick(NINE - 5 * HOUR)
        assert world.schedule().next_run_at == NINE - HOUR
        world.tick(NINE - HOUR)
        world.finish_runs()
        world.tick(NINE)
        assert fired(world) == []
        assert [at for _, at, _ in world.ledger()] == [NINE - DAY, NINE - HOUR]
        assert proof(world).violations == ()


@pytest.mark.parametrize(
    ("policy", "outcome"), [("SKIP", "MISSED"), ("CATCH_UP", "QUEUED"), ("CATCH_UP_ALL", "QUEUED")]
)
@pytest.mark.parametrize("parts", [{}, {"cron": "H 9 * * *"}, {"jitter": 1800.0}], ids=str)
def test_an_instant_that_newer_data_put_into_the_past_is_decided_late(
    world: World, policy: str, outcome: str, parts: dict[str, Any]
) -> None:
    start(world, missed=policy, **parts)
    world.tick(NINE - HOUR)
    world.finish_runs()
    due = world.schedule().next_run_at
    with using(EARLIER):
        world.tick(due - 20 * MINUTE)
        assert world.ledger()[-1] == (outcome, due - HOUR, 1)
        assert world.schedule().next_run_at == due - HOUR + DAY
        assert proof(world).violations == ()


def test_of_a_list_each_instant_is_decided_once_by_the_newer_data(world: World) -> None:
    start(world, cron="0 9,10 * * *", missed="CATCH_UP_ALL", overlap="ALLOW")
    world.tick(NINE - 10 * HOUR)
    with using(EARLIER):
        world.tick(NINE)
    assert [row[:2] for row in world.ledger()[-2:]] == [
        ("QUEUED", NINE - HOUR),
        ("QUEUED", NINE),
    ]


@pytest.mark.parametrize("cron", ["0 9 * * *", "0 9,10 * * *"])
def test_a_wall_time_that_newer_data_put_later_does_not_fire_again(world: World, cron: str) -> None:
    start(world, cron=cron, overlap="ALLOW")
    for hour in (0, 1):
        world.tick(NINE + hour * HOUR)
    before = world.ledger()
    with using(LATER):
        for minute in range(61, 180):
            world.tick(NINE + minute * MINUTE)
        assert world.ledger() == before
        assert world.schedule().next_run_at == NINE + DAY + HOUR
        assert proof(world).violations == ()


def test_what_follows_real_time_goes_on_at_every_hour(world: World) -> None:
    start(world, cron="0 * * * *", overlap="ALLOW")
    world.tick(NINE)
    with using(LATER):
        world.tick(NINE + HOUR)
    assert fired(world)[-2:] == [NINE, NINE + HOUR]


def test_a_yearly_schedule_keeps_its_year(world: World) -> None:
    yearly = datetime(2027, 1, 1, 17, 0, tzinfo=UTC)
    start(world, cron="0 9 1 1 *", missed="CATCH_UP")
    with using(EARLIER):
        world.tick(yearly - 2 * HOUR)
        world.tick(yearly - HOUR)
    assert fired(world) == [yearly - HOUR]


def test_new_zone_data_are_one_audit_entry_for_all_schedules(
    world: World,
) -> None:
    world.now = NINE - DAY
    world.define(*(a_schedule(f"s{number}", timezone=ZONE) for number in range(7)))
    world.enable("s3")
    world.settings = world.settings.model_copy(update={"chunk_schedules": 2})
    with using(EARLIER):
        world.tick(NINE - HOUR)
        world.tick(NINE)
    assert entries(world) == [("zone_data.change", "system", {ZONE: "2025b"}, {ZONE: "2026f"})]
    v, s = schedule_version.c, job_schedule.c
    used = sa.select(v.zone_data_id).join_from(schedule_version, job_schedule, s.version_id == v.id)
    assert len({row.zone_data_id for row in world.rows(used)}) == 1
    z = zone_data.c
    kept = world.rows(sa.select(z.version, z.replaced_at).order_by(z.id))
    assert kept == [("2025b", NINE - HOUR), ("2026f", None)]


def test_the_same_data_from_another_place_change_nothing(world: World) -> None:
    start(world)
    version = world.schedule().version_id
    with using(SAME_ELSEWHERE):
        world.tick(NINE - DAY)
    assert world.schedule().version_id == version
    assert entries(world) == []
    assert fired(world) == [NINE - DAY]


def test_a_host_with_older_zone_data_leaves_its_schedules_and_says_so(world: World) -> None:
    start(world, overlap="ALLOW")
    utc = a_schedule("utc", cron="0 17 * * *", overlap="ALLOW")
    world.define(*world.schedules, utc)
    world.enable("utc")
    world.tick(NINE - DAY)
    for minute in range(-70, 70):
        newer = minute % 2 == 0
        with using(EARLIER if newer else OLD):
            result = world.tick(NINE + minute * MINUTE)
        assert result.older_zones == ({} if newer else {ZONE: "2026f"})
        assert not result.errors
        assert not result.more
    assert fired(world) == [NINE - DAY, NINE - HOUR]
    assert fired(world, "utc") == [NINE - DAY, NINE]


def test_a_host_of_unknown_release_takes_over_only_with_new_data(world: World) -> None:
    unknown = released(None, {ZONE: fixed(-7)})
    start(world, overlap="ALLOW")
    for minute in range(-70, 70):
        with using(unknown if minute % 2 == 0 else SAME_ELSEWHERE):
            world.tick(NINE + minute * MINUTE)
    assert fired(world)[-1] == NINE - HOUR
    assert len(entries(world)) == 1


def test_older_data_are_not_synced_unless_somebody_accepts_them(world: World) -> None:
    start(world)
    with using(EARLIER):
        world.tick(NINE - 10 * HOUR)
    due = world.schedule().next_run_at
    with pytest.raises(OlderZoneData, match=r"--accept-older-zone-data"):
        sync_definitions(world.runtime, world.now, author=TESTER)
    world.schedules = (*world.schedules, a_schedule("new", timezone=ZONE))
    ensure_synced(world.runtime, world.now)
    assert world.schedule().next_run_at == due
    sync_definitions(world.runtime, world.now, author=TESTER, accept_older_zone_data=True)
    assert world.schedule().next_run_at == NINE
    assert entries(world)[-1] == (
        *("zone_data.accept_older", "tester"),
        *({ZONE: "2026f"}, {ZONE: "2025b"}),
    )
    with using(EARLIER):
        assert world.tick(NINE - HOUR).older_zones == {ZONE: "2025b"}
    world.tick(NINE)
    assert fired(world) == [NINE]


def test_data_that_were_taken_back_come_again_by_a_sync_of_a_person(world: World) -> None:
    start(world)
    with using(EARLIER):
        world.tick(NINE - 10 * HOUR)
    sync_definitions(world.runtime, world.now, author=TESTER, accept_older_zone_data=True)
    with using(EARLIER):
        world.tick(NINE - 9 * HOUR)
        assert world.schedule().next_run_at == NINE
        sync_definitions(world.runtime, world.now, author=TESTER)
        assert world.schedule().next_run_at == NINE - HOUR


def test_an_old_row_is_explained_and_proven_by_the_data_that_decided_it(world: World) -> None:
    start(world)
    world.tick(NINE - DAY)
    world.finish_runs()
    with using(EARLIER):
        for day in range(3):
            world.tick(NINE - HOUR + day * DAY)
            world.finish_runs()
        assert proof(world).violations == ()
        with world.database.read.connect() as connection:
            said = explain(connection, "daily", NINE - DAY, world.now).sentence
            moved = explain(connection, "daily", NINE - HOUR, world.now).sentence
        assert "fired, 0 s late, and is SUCCESS" in said
        assert "fired, 0 s late" in moved


def test_an_instant_without_a_row_is_not_called_pruned_when_nothing_was(world: World) -> None:
    start(world)
    world.tick(NINE - DAY)
    with world.database.write.begin() as connection:
        connection.execute(sa.text("DELETE FROM job_run"))
        connection.execute(sa.text("DELETE FROM occurrence"))
        said = explain(connection, "daily", NINE - DAY, world.now).sentence
    assert "pruned; `tick verify` tells what is missing" in said


def test_older_zone_data_are_told_by_the_log_of_ticks_and_an_alert(world: World) -> None:
    start(world)
    with using(EARLIER):
        world.tick(NINE - 10 * HOUR)
    world.tick(NINE - 9 * HOUR)
    with world.database.read.connect() as connection:
        found = rules.find(read_inputs(connection, world.now))
        later = read_inputs(connection, world.now + HOUR)
    (alert,) = [finding for finding in found if finding.rule == "zone-data"]
    assert "`tick sync --accept-older-zone-data`" in alert.message
    assert ZONE in alert.message
    assert later.older_zone_data is None


def test_an_instant_that_is_truly_missing_is_found_under_either_data(world: World) -> None:
    start(world)
    world.tick(NINE - DAY)
    world.finish_runs()
    with using(EARLIER):
        world.tick(NINE - HOUR)
        with world.database.write.begin() as connection:
            connection.execute(sa.text("DELETE FROM job_run"))
            connection.execute(sa.text("DELETE FROM occurrence"))
        found = proof(world).violations
        assert [violation.at for violation in found] == [NINE - DAY, NINE - HOUR]


@pytest.mark.parametrize("how", ["disabled", "paused"])
def test_a_schedule_that_is_off_goes_on_by_the_newer_data(world: World, how: str) -> None:
    start(world)
    world.tick(NINE - DAY)
    world.finish_runs()
    if how == "disabled":
        world.disable()
    else:
        until = NINE - 2 * HOUR
        switches.pause_schedule(
            world.database, Act(world.now, TESTER, reason="-"), "daily", until=until
        )
    with using(EARLIER):
        world.tick(NINE - 3 * HOUR)
        assert world.schedule().next_run_at is None
        if how == "disabled":
            world.enable()
        world.tick(NINE - HOUR)
        assert [at for _, at, _ in world.ledger()] == [NINE - DAY, NINE - HOUR]


def at_nine(hours: int = 0) -> datetime:
    return datetime(2026, 12, 1, 9 + hours, tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize(
    ("missed", "outcome"), [("SKIP", "MISSED"), ("CATCH_UP", "QUEUED")], ids=str
)
def test_a_wall_time_given_for_once_that_comes_earlier_is_decided_late(
    world: World, missed: str, outcome: str
) -> None:
    once = a_schedule(cron=None, at=at_nine(), missed=missed)
    world.now = NINE - DAY
    world.define(once)
    world.enable()
    with using(EARLIER):
        world.now = NINE - 30 * MINUTE
        ensure_synced(world.runtime, world.now)
        world.tick()
        assert world.ledger()[-1] == (outcome, NINE - HOUR, 1)


def test_a_wall_time_given_for_once_that_comes_later_does_not_fire_again(world: World) -> None:
    world.now = NINE - DAY
    world.define(a_schedule(cron=None, at=at_nine()))
    world.enable()
    world.tick(NINE)
    with using(LATER):
        world.now = NINE + 30 * MINUTE
        sync_definitions(world.runtime, world.now, author=TESTER)
        world.tick(NINE + HOUR)
        world.tick(NINE + 2 * HOUR)
    assert fired(world) == [NINE]


@pytest.mark.parametrize(("data", "first"), [(EARLIER, -HOUR), (LATER, HOUR)], ids=["-", "+"])
def test_an_interval_from_a_wall_time_keeps_its_distance_by_the_newer_data(
    world: World, data: Any, first: timedelta
) -> None:
    world.now = NINE - DAY
    world.define(a_schedule(cron=None, every=DAY, anchor=at_nine(), overlap="ALLOW"))
    world.enable()
    world.tick(NINE)
    with using(data):
        world.now = NINE + 30 * MINUTE
        sync_definitions(world.runtime, world.now, author=TESTER)
        world.tick(NINE + 2 * HOUR)
        assert fired(world) == [NINE]
        assert world.schedule().next_run_at == NINE + DAY + first


def test_versions_of_an_older_release_get_their_instants_computed_once(
    world: World,
) -> None:
    start(world)
    with world.database.write.begin() as connection:
        connection.execute(sa.update(schedule_version).values(zone_data_id=None))
        connection.execute(sa.delete(zone_data))
    with using(EARLIER):
        world.tick(NINE - DAY - 2 * HOUR)
        assert world.schedule().next_run_at == NINE - HOUR
    assert [row.version for row in world.rows(sa.select(zone_data.c.version))] == ["2026f"]
