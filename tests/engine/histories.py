"""Random histories of a small system, and what a brute-force count of them comes to."""

import random
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.runs.settle import settle_forgotten
from tick.engine.statistics.count import count_ended
from tick.engine.statistics.prune import Keep, prune_all
from tick.errors import Refused
from tick.ops.actions import retries, run_now
from tick.states import ENDED_OUTCOMES, FIRED_OUTCOMES, NOT_FIRED_OUTCOMES
from tick.store.tables import job_run, occurrence

JOBS = (a_job("fetch"), a_job("match", depends_on=["fetch"]), a_job("mail", group="post"))
HOURLY = a_schedule("hourly", cron="0 * * * *")
QUARTERLY = a_schedule("post", cron="*/15 * * * *", mode="GROUP", job_group="post")
ENDINGS = ("SUCCESS", "SUCCESS", "SUCCESS", "FAILED", "CANCELLED", "SKIPPED")
_r, _o = job_run.c, occurrence.c
# Only the columns that are looked at: all rows are read after each step.
_RUNS = sa.select(_r.id, _r.job_name, _r.status, _r.started_at, _r.finished_at)
_OCCURRENCES = sa.select(
    *(_o.id, _o.schedule_id, _o.kind, _o.outcome, _o.count),
    *(_o.scheduled_for, _o.decided_at, _o.tick_id),
).order_by(_o.id)


class History:
    """A world in which things happen, and a list of every end that somebody looking would see."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        world.define(HOURLY, QUARTERLY, jobs=JOBS)
        world.enable("hourly")
        world.enable("post")
        self.runs: Counter[tuple[datetime, str, str]] = Counter()
        self.took: list[tuple[str, float]] = []
        self.instants: Counter[tuple[datetime, str, str]] = Counter()
        self._seen_runs: dict[int, Any] = {}
        self._seen_occurrences: dict[int, Any] = {}

    def go_on(self, steps: int) -> None:
        """Let so many things happen."""
        happenings = (
            *(self.tick, self.tick, self.end_some, self.end_some, self.end_some),
            *(self.retry, self.run_by_hand, self.run_a_slot, self.count, self.prune),
        )
        for _ in range(steps):
            self.world.now += timedelta(minutes=self.random.choice((1, 7, 20, 90)))
            self.random.choice(happenings)()
            self.look()

    def tick(self) -> None:
        """A tick, as late as it happens to be."""
        self.world.tick()

    def end_some(self) -> None:
        """Some runs end, somehow."""
        with self.world.database.write.begin() as connection:
            open_runs = connection.execute(
                sa.select(_r.id, _r.queued_at).where(_r.status.in_(["QUEUED", "RUNNING"]))
            ).all()
            for run in self.random.sample(open_runs, k=min(3, len(open_runs))):
                started = self.world.now - timedelta(seconds=self.random.choice((0.2, 4, 70, 5000)))
                values = {"status": self.random.choice(ENDINGS), "finished_at": self.world.now}
                values |= {"started_at": max(started, run.queued_at)}
                connection.execute(sa.update(job_run).where(_r.id == run.id).values(values))
        with self.world.database.write.begin() as connection:
            settle_forgotten(connection, self.world.now)

    def retry(self) -> None:
        """Somebody retries an occurrence."""
        bad = self._pick(_o.failed + _o.cancelled > 0)
        if bad is not None:
            self._try(retries.retry_occurrence, bad.id, self.world.registry, override_overlap=True)

    def run_by_hand(self) -> None:
        """Somebody presses Run now."""
        self._try(run_now.run_schedule, "hourly", override_overlap=True)

    def run_a_slot(self) -> None:
        """Somebody runs an instant that did not fire."""
        row = self._pick(_o.outcome.in_(NOT_FIRED_OUTCOMES))
        if row is not None:
            at = self.random.choice((row.scheduled_for, row.scheduled_until or row.scheduled_for))
            self._try(run_now.run_slots, row.schedule_id, [at])

    def count(self) -> None:
        """A few ends are counted."""
        with self.world.database.write.begin() as connection:
            count_ended(connection, self.random.choice((1, 3, 100)))

    def prune(self) -> None:
        """What is older than a day goes."""
        keep = Keep(days=1, log_days=1, tick_days=1, statistics_days=800)
        prune_all(self.world.database.write, self.world.now, keep)

    def look(self) -> None:
        """Note what ended since the last look."""
        for run in self.world.rows(_RUNS):
            before = self._seen_runs.get(run.id)
            self._seen_runs[run.id] = (run.status, run.finished_at)
            if run.finished_at is not None and before != self._seen_runs[run.id]:
                self._note_run(run)
        for row in self.world.rows(_OCCURRENCES):
            self._note_occurrence(row)

    def _note_run(self, run: Any) -> None:
        self.runs[_hour(run.finished_at), run.job_name, run.status] += 1
        if run.started_at is not None and run.status in ("SUCCESS", "FAILED"):
            self.took.append((run.job_name, (run.finished_at - run.started_at).total_seconds()))

    def _note_occurrence(self, row: Any) -> None:
        before = self._seen_occurrences.get(row.id)
        self._seen_occurrences[row.id] = row.outcome
        came_from_a_split = before is None and row.tick_id == "-"
        if row.outcome == before or came_from_a_split:
            return
        if row.outcome in ENDED_OUTCOMES or row.outcome not in FIRED_OUTCOMES:
            hour = _hour(row.scheduled_for or row.decided_at)
            by_hand = row.kind == "MANUAL"
            whose = "" if by_hand else row.schedule_id or ""
            self.instants[hour, whose, row.outcome] += row.count

    def _pick(self, condition: Any) -> Any:
        rows = self.world.rows(sa.select(occurrence).where(condition).order_by(_o.id))
        return self.random.choice(rows) if rows else None

    def _try(self, action: Any, *arguments: Any, **how: Any) -> None:
        with suppress(Refused):  # such as a slot that the tick has to decide
            action(self.world.database, Act(self.world.now, TESTER), *arguments, **how)


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)
