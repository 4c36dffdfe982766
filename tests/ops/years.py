"""Years of schedules with calendars, windows and local-day steps, and of people who change them."""

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick import Calendar
from tick.define.schedules import Schedule
from tick.define.steps import days, months, weeks
from tick.engine.ledger.audit import Act
from tick.engine.ledger.windows import Recurrence
from tick.errors import Refused
from tick.ops.actions import pins, switches, windows
from tick.ops.queries.windows import Scope
from tick.ops.reports.verify import Proof, verify
from tick.states import AfterWindow
from tick.store.sql import AnyRow
from tick.store.tables import job_run, job_schedule, occurrence, schedule_version

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
JOBS = (a_job("books"), a_job("post", depends_on=["books"]))
DROPS = ("ONLY_BUSINESS_DAYS", "SKIP_HOLIDAYS", "ONLY_HOLIDAYS")
MOVES = ("NEXT_BUSINESS_DAY", "PREVIOUS_BUSINESS_DAY", "MODIFIED_FOLLOWING")
_LATE = {"grace": 20 * 86_400.0}
_EACH = {"missed": "CATCH_UP_ALL", "max_catch_up_age": 60 * 86_400.0, "overlap": "ALLOW"}
_SHAPES: tuple[dict[str, Any], ...] = (
    {"cron": "30 2 * * *", "calendar": "plant", **_LATE},
    {"cron": "30 2 * * 6", "calendar": "plant", "overlap": "ALLOW", **_LATE},
    {"cron": "0 18 L * *", "calendar": "halves", "missed": "CATCH_UP"},
    {"cron": "30 1,17 1,15 * *", "calendar": "gulf", **_EACH},
    {"every": days(5, at="02:30"), "calendar": "plant", "jitter": 900.0, **_LATE},
    {"every": weeks(1, on="sun", at="00:30"), "calendar": "both", **_EACH},
    {"every": months(1, on=31, at="23:30"), "calendar": "halves", **_LATE},
)
_ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
_CRONS = ("30 2 * * *", "30 2 * * 6", "30 2 * * 0", "45 23 * * 5-7", "0 12 1-7 * *")


def shapes(count: int) -> list[Schedule]:
    """So many schedules; each shape meets each day rule and zone in turn."""
    rules = [*MOVES, *DROPS]
    return [
        a_schedule(
            f"y{number}",
            timezone=_ZONES[number % len(_ZONES)],
            day_rule=rules[(number + number // len(_SHAPES)) % len(rules)],
            **_SHAPES[number % len(_SHAPES)],
        )
        for number in range(count)
    ]


class Years:
    """A world whose ticks come when they come, and whose calendars change in between."""

    def __init__(self, world: World, seed: int, schedules: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.schedules = {schedule.id: schedule for schedule in shapes(schedules)}
        self.holidays: dict[str, str] = {}
        self.half_days: dict[str, str] = {}
        self.worked: set[str] = set()
        self.proven_to = START
        self.pinned = 0

    def begin(self) -> None:
        """All schedules defined and switched on, beside windows that come again and again."""
        self.world.now = START
        for year in range(2026, 2036):
            for day in ("01-01", "05-01", "12-25", "12-26"):
                self.holidays[f"{year}-{day}"] = f"holiday of {day}"
            self.half_days[f"{year}-12-24"] = "13:00"
        self._deploy()
        for schedule_id in self.schedules:
            self.world.enable(schedule_id)
        self._recurring("0 1 * * 0", hours=4)
        self._recurring("0 0 1 * *", hours=20, then="run")
        self._recurring("0 12 * * 1", hours=6, schedule_id="y1", then="run")

    def live(self, until: datetime, least: timedelta, most: timedelta) -> None:
        """Tick after times between `least` and `most`; every few ticks somebody does something."""
        changes = (self.change_days, self.change_rule, self.change_cron)
        deeds = (*changes, self.flip, self.pause, self.pin)
        while self.world.now < until:
            at = self.world.now + self.random.uniform(0, 1) * (most - least) + least
            self.world.now = at.replace(microsecond=0)
            self._let_runs_end()
            self.world.tick()
            if self.random.random() < 0.2:
                self.world.now += self.random.randint(1, 40) * HOUR
                self.random.choice(deeds)()

    def change_days(self) -> None:
        """A holiday more or less, a worked weekend or a half day, near today."""
        day = f"{self.world.now + self.random.randint(-5, 6) * DAY:%Y-%m-%d}"
        if day > "2035":
            return
        match self.random.randrange(4):
            case 0 | 1 if day not in self.worked:
                self.holidays[day] = "declared a holiday"
            case 2 if day not in self.holidays:
                self.worked.add(day)
            case _:
                self.holidays.pop(day, None)
                self.worked.discard(day)
                self.half_days[day] = "02:00"
        self._deploy()

    def change_rule(self) -> None:
        """Another day rule, or no calendar any more, for one schedule."""
        schedule = self._any()
        named = self.random.choice(("plant", "gulf", "halves", "both"))
        rule: str | None = self.random.choice((*MOVES, *MOVES, *DROPS, None))
        calendar = None if rule is None else named
        self.schedules[schedule.id] = replace(schedule, calendar=calendar, day_rule=rule)
        self._deploy()

    def change_cron(self) -> None:
        """Another expression for one schedule."""
        schedule = self._any()
        if schedule.cron is not None:
            cron = self.random.choice(_CRONS)
            self.schedules[schedule.id] = replace(schedule, cron=cron)
        self._deploy()

    def flip(self) -> None:
        """Switch one off, or on."""
        schedule_id, act = self._any().id, Act(self.world.now, TESTER)
        if not switches.disable_schedule(self.world.database, act, schedule_id):
            latest = self.random.random() < 0.5
            switches.enable_schedule(self.world.database, act, schedule_id, catch_up_latest=latest)

    def pause(self) -> None:
        """Pause one for some days, or end its pause."""
        schedule_id, now = self._any().id, self.world.now
        if self.world.schedule(schedule_id).state == "PAUSED":
            switches.resume_schedule(self.world.database, Act(now, TESTER), schedule_id)
            return
        act, until = Act(now, TESTER, reason="move"), now + self.random.randint(1, 9) * DAY
        switches.pause_schedule(self.world.database, act, schedule_id, until=until)

    def pin(self) -> None:
        """Pin one to an earlier version, whatever its calendar was then, or end its pin."""
        v, schedule_id, database = schedule_version.c, self._any().id, self.world.database
        act, registry = Act(self.world.now, TESTER, reason="the new one waits"), self.world.registry
        its = sa.select(sa.func.max(v.number)).where(v.schedule_id == schedule_id)
        number = self.world.rows(its)[0][0]
        try:
            pins.unpin_schedule(database, act, schedule_id, registry)
        except Refused:
            earlier = self.random.randint(1, number)
            # Refused where it says the same as the version in force.
            with suppress(Refused):
                pins.pin_schedule(database, act, schedule_id, registry, earlier)
                self.pinned += 1

    def proven(self) -> Proof:
        """The proof of the time since the last one."""
        found = verify(self.world.database, self.proven_to, self.world.now)
        self.proven_to = self.world.now - 9 * DAY
        return found

    def one_row_of_each_kind(self) -> Sequence[AnyRow]:
        """The newest row of each schedule's outcome, of its cause, and of moved or not."""
        o = occurrence.c
        moved = o.nominal_for.is_not(None)
        newest = sa.select(sa.func.max(o.id)).where(o.schedule_id.is_not(None))
        kinds = newest.group_by(o.schedule_id, o.outcome, o.reason_kind, o.held_by, moved)
        return self.world.rows(sa.select(occurrence).where(o.id.in_(kinds)))

    def nominal_fired_twice(self) -> Iterator[AnyRow]:
        """Instants that fired more than once, by the instant that the rule itself has."""
        o = occurrence.c
        own = sa.func.coalesce(o.nominal_for, o.scheduled_for)
        fired = sa.select(o.schedule_id, own.label("own")).where(
            o.runs > 0, o.scheduled_for.is_not(None)
        )
        twice = fired.group_by(o.schedule_id, own).having(sa.func.count() > 1)
        yield from self.world.rows(twice)

    def _recurring(
        self, cron: str, *, hours: int, then: str = "skip", schedule_id: str | None = None
    ) -> None:
        windows.add_window(
            self.world.database,
            Act(START, TESTER, reason="backups"),
            starts_at=START,
            ends_at=None,
            scope=Scope(schedule_id),
            recurs=Recurrence(cron, "Europe/Berlin", hours * HOUR),
            then=AfterWindow(then),
        )

    def _let_runs_end(self) -> None:
        r, now = job_run.c, self.world.now
        ended = {"status": "SUCCESS", "started_at": now, "finished_at": now}
        with self.world.database.write.begin() as connection:
            unfinished = r.status.in_(["QUEUED", "RUNNING"])
            connection.execute(sa.update(job_run).where(unfinished).values(ended))

    def _deploy(self) -> None:
        half = {day: at for day, at in self.half_days.items() if day not in self.holidays}
        self.world.calendars = [
            Calendar("plant", dates=self.holidays, working=sorted(self.worked)),
            Calendar("gulf", dates=self.holidays, weekend=["fri", "sat"]),
            Calendar("halves", dates=self.holidays, half_days=half),
            Calendar("both", all_of=["plant", "gulf"]),
        ]
        self.world.define(*self.schedules.values(), jobs=JOBS)

    def _any(self) -> Schedule:
        s = job_schedule.c
        ids = self.world.rows(sa.select(s.id).order_by(s.id))
        return self.schedules[self.random.choice(ids).id]
