"""Schedules that are hard to get right, and a world in which everything that can go wrong does."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.define.schedules import Schedule
from tick.define.steps import days
from tick.engine.ledger.audit import Act
from tick.errors import Refused
from tick.ops.actions import run_now, switches, windows
from tick.ops.reports.verify import Proof, verify
from tick.store.tables import job_run, job_schedule, occurrence
from tick.syncing import sync_definitions
from tick.ticks.tick import run_tick

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 20, tzinfo=UTC)
JOBS = (
    a_job("first"),
    a_job("second", depends_on=["first"]),
    a_job("third", "feed", depends_on=["first"], tolerates=frozenset({"first"})),
    a_job("lonely", "media"),
)
SAMPLES = (
    a_schedule("daily-full-sync", cron="0 2 * * *"),
    a_schedule("hourly-matching", cron="0 * * * *", mode="GROUP", job_group="matching"),
    a_schedule("feed-refresh", cron="*/15 * * * *", mode="GROUP", job_group="feed"),
    a_schedule("search-index", cron="0 */4 * * *", mode="SINGLE_JOB", job="first"),
    a_schedule("weekly-cleanup", cron="0 3 * * 0", mode="CUSTOM", jobs=("second", "first")),
    a_schedule("media-processing", cron="*/30 * * * *", mode="GROUP", job_group="media"),
)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
)
_SHAPES: tuple[dict[str, Any], ...] = (
    {"cron": "30 2 * * *", "missed": "CATCH_UP"},
    {"cron": "30 1 * * *", "dst_fold": "both", "overlap": "ALLOW"},
    {"cron": "0 0 1 * *", "missed": "CATCH_UP_ALL", "max_catch_up_age": 30 * 86_400.0},
    {"cron": "*/20 1-3 * * *", "overlap": "QUEUE_ONE"},
    {"cron": "59 23 * * 5", "dst_gap": "skip", "grace": 5.0},
    {"every": timedelta(hours=7, minutes=13), "overlap": "REPLACE", "jitter": 900.0},
    {"every": days(3, at="02:30"), "missed": "CATCH_UP", "jitter": 60.0},
)


def hostile() -> list[Schedule]:
    """Seven shapes in each of five zones, under every policy."""
    found = [
        a_schedule(f"h{number}-{zone.rpartition('/')[2].lower()}", **_with_effect(shape, zone))
        for zone in ZONES
        for number, shape in enumerate(_SHAPES)
    ]
    assert len(found) == 35
    return found


def _with_effect(shape: dict[str, Any], zone: str) -> dict[str, Any]:
    """The shape in the zone, without what would mean nothing there."""
    if isinstance(shape.get("every"), timedelta):
        return shape
    kept = {name: shape[name] for name in shape if zone != "UTC" or not name.startswith("dst_")}
    return kept | {"timezone": zone}


class Crash(BaseException):
    """The process died here."""


@contextmanager
def crash_at(engine: sa.Engine, statement: int) -> Iterator[None]:
    """Die instead of sending the statement of that number."""
    sent = 0

    def count(*_: Any) -> None:
        nonlocal sent
        sent += 1
        if sent == statement:
            raise Crash

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    except Crash:
        pass
    finally:
        event.remove(engine, "before_cursor_execute", count)


class Chaos:
    """A world whose ticks come late, twice, at once or not at all, and die half-way."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.now = self.latest = START
        self.schedules = {schedule.id: schedule for schedule in [*SAMPLES, *hostile()]}
        self.deeds: list[tuple[float, Callable[[], None]]] = [
            (0.48, self.tick),
            (0.06, self.tick_twice),
            (0.12, self.die),
            (0.04, self.tick_at_once),
            (0.20, self.let_runs_end),
            (0.02, self.sleep),
            (0.02, self.flip),
            (0.02, self.pause),
            (0.02, self.edit),
            (0.01, self.take_away_or_bring_back),
            (0.01, self.run_a_slot),
            (0.02, self.stop_or_start),
            (0.01, self.plan_a_window),
        ]

    def begin(self) -> None:
        """All schedules defined and switched on."""
        self.world.now = START
        self.world.define(*self.schedules.values(), jobs=JOBS)
        for schedule_id in self.schedules:
            self.world.enable(schedule_id)

    def live(self, steps: int = 1_000_000, until: datetime | None = None) -> None:
        """So many deeds, each a while after the one before, or as many as go until then."""
        weights = [weight for weight, _ in self.deeds]
        for _, deed in self.random.choices(self.deeds, weights, k=steps):
            if until is not None and self.now >= until:
                return
            self.wait()
            deed()

    def wait(self) -> None:
        """Most callers come soon after something is due, some whenever they like."""
        s = job_schedule.c
        due = self.world.rows(
            sa.select(sa.func.min(s.next_run_at, type_=s.next_run_at.type)).where(
                s.state == "ACTIVE", s.next_run_at > self.now
            )
        )[0][0]
        if due is None or self.random.random() < 0.2:
            self.now += self.random.choice((20, 60, 300, 3600)) * SECOND
        else:
            self.now = due + self.random.randint(0, 150) * SECOND
        self.latest = max(self.latest, self.now)

    def verified(self) -> Proof:
        """The proof over all the time that has passed."""
        return verify(self.world.database, START, self.latest)

    def clock(self) -> datetime:
        """What a caller's clock shows: the time, or up to five minutes beside it."""
        step = self.random.choice((0, 0, 0, 0, 1)) * self.random.uniform(-300, 300)
        at = self.now + timedelta(seconds=step)
        self.latest = max(self.latest, at)
        return at

    def tick(self) -> None:
        self.world.tick(self.clock())

    def tick_twice(self) -> None:
        at = self.clock()
        self.world.tick(at)
        self.world.tick(at)

    def tick_at_once(self) -> None:
        runtime, at = self.world.runtime, [self.clock() for _ in range(3)]
        with ThreadPoolExecutor(3) as threads:
            for result in threads.map(lambda now: run_tick(runtime, now, source="rival"), at):
                assert result.errors == {}

    def die(self) -> None:
        with crash_at(self.world.database.write, self.random.randint(1, 25)):
            self.world.tick(self.clock())

    def sleep(self) -> None:
        self.now += self.random.choice((HOUR, 9 * HOUR, 3 * DAY))
        self.latest = self.now

    def let_runs_end(self) -> None:
        """All that started some time ago; the next tick settles their occurrences."""
        r = job_run.c
        since = self.now - self.random.choice((0, 1, 2)) * HOUR
        with self.world.database.write.begin() as connection:
            connection.execute(
                sa.update(job_run)
                .where(r.status.in_(["QUEUED", "RUNNING"]), r.queued_at <= since)
                .values(status="SUCCESS", started_at=self.now, finished_at=self.now)
            )

    def flip(self) -> None:
        schedule_id, self.world.now = self._any(), self.clock()
        act = Act(self.world.now, TESTER)
        if not switches.disable_schedule(self.world.database, act, schedule_id):
            self._allowed(
                lambda: switches.enable_schedule(
                    self.world.database,
                    act,
                    schedule_id,
                    catch_up_latest=self.random.random() < 0.5,
                )
            )

    def pause(self) -> None:
        schedule_id, now = self._any(), self.clock()
        row = self.world.schedule(schedule_id)
        database, until = self.world.database, now + self.random.choice((MINUTE, 5 * HOUR, 2 * DAY))
        if row.state == "PAUSED":
            latest = self.random.random() < 0.5
            switches.resume_schedule(
                database, Act(now, TESTER), schedule_id, catch_up_latest=latest
            )
        elif row.state == "ACTIVE":
            switches.pause_schedule(
                database, Act(now, TESTER, reason="chaos"), schedule_id, until=until
            )

    def edit(self) -> None:
        """Another minute for a cron expression, at a deploy that may die half-way."""
        schedule = self.schedules[self._any()]
        if schedule.cron is not None and not schedule.cron.startswith("*"):
            minute = self.random.randint(0, 59)
            cron = f"{minute} {schedule.cron.partition(' ')[2]}"
            self.schedules[schedule.id] = _with(schedule, cron=cron)
        self._deploy(self.schedules)

    def take_away_or_bring_back(self) -> None:
        gone = self._any()
        self._deploy({name: item for name, item in self.schedules.items() if name != gone})

    def run_a_slot(self) -> None:
        o = occurrence.c
        missed = self.world.rows(
            sa.select(o.schedule_id, o.scheduled_for)
            .where(o.outcome.in_(["MISSED", "SUPPRESSED", "SKIPPED_OVERLAP", "HELD"]))
            .order_by(o.id.desc())
            .limit(20)
        )
        if missed:
            row = self.random.choice(missed)
            self._allowed(
                lambda: run_now.run_slots(
                    self.world.database, Act(self.now, TESTER), row.schedule_id, [row.scheduled_for]
                )
            )

    def stop_or_start(self) -> None:
        """More often it is started, so that most stops are short."""
        now, database = self.clock(), self.world.database
        if self.random.random() < 0.25:
            windows.stop_scheduler(database, Act(now, TESTER, reason="chaos"))
        else:
            windows.start_scheduler(database, Act(now, TESTER))

    def plan_a_window(self) -> None:
        start = self.now + self.random.choice((0, 1, 30)) * HOUR
        self._allowed(
            lambda: windows.add_window(
                self.world.database,
                Act(self.clock(), TESTER, reason="chaos"),
                starts_at=start,
                ends_at=start + self.random.choice((MINUTE, 5 * HOUR)),
            )
        )

    def _deploy(self, schedules: dict[str, Schedule]) -> None:
        self.world.schedules = list(schedules.values())
        with crash_at(self.world.database.write, self.random.choice((0, 0, 5, 15))):
            sync_definitions(self.world.runtime, self.clock(), author=TESTER)

    def _any(self) -> str:
        s = job_schedule.c
        return self.random.choice(self.world.rows(sa.select(s.id).order_by(s.id))).id

    def _allowed(self, deed: Callable[[], object]) -> None:
        with suppress(Refused):
            deed()


def _with(schedule: Schedule, **parts: Any) -> Schedule:
    return replace(schedule, **parts)
