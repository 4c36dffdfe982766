"""A system in the middle of its day: what the console's tests, and its pictures, look at.

The ledger is made by real ticks at past instants; only the work itself is made up.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import SecretStr

from tests.support.factories import TESTER, World, a_worker
from tests.webapp.made_up_work import work
from tick.define.registry import load_registry
from tick.engine.ledger.audit import Act, Author
from tick.ops.access import users
from tick.ops.actions import run_now
from tick.settings import Settings
from tick.states import Role
from tick.store.database import Database
from tick.store.tables import job_run, worker_instance
from tick.ticks.tick import run_tick

PASSWORD = "correct horse battery"
SETTINGS = Settings(
    secret_key=SecretStr("a secret that only tests know"),
    trigger_secret=SecretStr("a trigger secret for tests"),
    cookie_secure=False,
    bodies_at_once=64,  # tests of races send many at once
)
NIGHTS = 7
QUARTER = timedelta(minutes=15)


def build_scene(database: Database, now: datetime, hours: int = 6) -> World:
    """Six schedules, a week of nights, the last hours, a sync at work, and two people."""
    registry = load_registry("definitions")
    world = World(
        database,
        now=now - timedelta(days=NIGHTS + 1, hours=hours),
        settings=SETTINGS,
        jobs=list(registry.jobs.values()),
        schedules=list(registry.schedules.values()),
    )
    world.define(*world.schedules)
    add_people(database, world.now)
    _sleep_through_the_nights(world, now)
    _live_through_the_day(world, now, hours)
    _start_a_sync(world, now)
    _start_a_worker(world, now)
    return world


def add_people(database: Database, now: datetime) -> None:
    """Ada, who may do everything, and Vic, who may look."""
    for name, role in (("ada", Role.ADMIN), ("vic", Role.VIEWER)):
        users.create_user(database, Act(now, TESTER), name, PASSWORD, role)


def _sleep_through_the_nights(world: World, now: datetime) -> None:
    """The daily sync, in some nights with a job that fails."""
    last = now.replace(hour=2, minute=0, second=0, microsecond=0)
    if last > now - timedelta(minutes=20):
        last -= timedelta(days=1)
    first = last - timedelta(days=NIGHTS - 1)
    world.now = first - timedelta(minutes=10)
    world.enable("daily-full-sync")
    for number in range(NIGHTS):
        world.tick(first + timedelta(days=number, seconds=2))
        fails = ["compatibility"] if number in (2, NIGHTS - 1) else []
        work(world, fails=fails, speed=1 + number % 3 / 8)


def _live_through_the_day(world: World, now: datetime, hours: int) -> None:
    """The frequent schedules; one tick in nine never comes."""
    world.now = now - timedelta(hours=hours)
    for schedule_id in ("hourly-matching", "feed-refresh", "media-processing"):
        world.enable(schedule_id)
    first = datetime.fromtimestamp(world.now.timestamp() // 900 * 900, now.tzinfo) + QUARTER
    for number in range(hours * 4):
        instant = first + number * QUARTER
        if number % 9 != 4 and instant < now - timedelta(minutes=2):
            world.tick(instant + timedelta(seconds=1.4))
            work(world, fails=["trending"] if number == 6 else [])
    world.now = now - timedelta(minutes=1)
    world.disable("media-processing")


def _start_a_sync(world: World, now: datetime) -> None:
    """Somebody pressed Run now a moment ago; the jobs are under way."""
    world.now = now - timedelta(seconds=27)
    run_tick(world.runtime, world.now, source="loop")
    work(world)
    ada = Author("ada")
    run_now.run_schedule(world.database, Act(world.now, ada), "daily-full-sync")
    work(world, stops_after=13, speed=1.1, until=now)


def _start_a_worker(world: World, now: datetime) -> None:
    worker = a_worker(now, last_heartbeat_at=now + timedelta(hours=1))
    at_work = sa.update(job_run).where(job_run.c.status == "RUNNING")
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance), worker)
        connection.execute(at_work.values(worker_id=worker["id"]))
