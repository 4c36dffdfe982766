"""Old rows go, in small slices, so that no transaction is long. What still matters stays.

Each schedule's last firing, whatever has not finished, and processes that still beat stay, however
old. The high-water mark keeps a pruned instant from firing again. The audit is never pruned.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from tick.engine.statistics.count import count_occurrences, count_runs
from tick.engine.statistics.hours import ALL_TIME
from tick.engine.statistics.prune_state import note_ledger, note_ticks
from tick.settings import Settings
from tick.states import LIVE_OUTCOMES, WorkerStatus
from tick.store.database import begin_within
from tick.store.sqlite import BUSY_SECONDS
from tick.store.tables import (
    alert,
    alert_delivery,
    alert_mute,
    job_log,
    job_run,
    job_schedule,
    occurrence,
    occurrence_hour,
    run_hour,
    tick_log,
    worker_instance,
)

SLICE = 1000
"""Rows that one transaction deletes, near enough: it holds its locks for milliseconds."""
PRUNED = (
    *(job_log, job_run, occurrence, tick_log, worker_instance, run_hour, occurrence_hour),
    *(alert, alert_delivery, alert_mute),
)
_o, _r, _l, _s = occurrence.c, job_run.c, job_log.c, job_schedule.c
_t, _w = tick_log.c, worker_instance.c


@dataclass(frozen=True)
class Keep:
    """The rows to keep: those younger than so many days, and of those at most so many."""

    days: int
    log_days: int
    tick_days: int
    statistics_days: int
    most_runs: int | None = None
    most_log_lines: int | None = None
    most_ticks: int | None = None

    @classmethod
    def of(cls, settings: Settings, days: int | None = None) -> "Keep":
        """As the settings say it; `days`, if given, for runs, and as a limit for the logs."""
        days = days or settings.keep_days
        return cls(
            days=days,
            log_days=min(days, settings.keep_log_days),
            tick_days=min(days, settings.keep_tick_days),
            statistics_days=settings.keep_statistics_days,
            most_runs=settings.keep_runs,
            most_log_lines=settings.keep_log_lines,
            most_ticks=settings.keep_ticks,
        )


def prune_all(
    engine: sa.Engine,
    now: datetime,
    keep: Keep,
    may_go_on: Callable[[], bool] = lambda: True,
    patience_seconds: float = BUSY_SECONDS,
) -> tuple[dict[str, int], bool]:
    """Delete what is not kept, slice after slice while `may_go_on`.

    How many rows of each table went, and whether all that should go is gone. It waits for what
    somebody else has locked no longer than `patience_seconds`.
    """
    work = _Pruning(engine, now, keep, may_go_on, patience_seconds)
    steps = (work.logs, work.ledger, work.ticks, work.workers, work.hours, work.alerts)
    # A step that runs out of time ends the pruning: the others come the next time.
    done = all(step() for step in steps)
    return {table.name: work.gone[table.name] for table in PRUNED}, done


def count_prunable(connection: sa.Connection, now: datetime, keep: Keep) -> dict[str, int]:
    """The number of rows of each table that a pruning would delete now; deletes nothing."""
    rules = _Rules(connection, now, keep)
    old = sa.select(_o.id).where(rules.occurrences, ~_is_kept())
    runs = sa.select(_r.id).where(_r.occurrence_id.in_(old))
    which = {
        job_log: sa.or_(rules.log_lines, _l.run_id.in_(runs)),
        job_run: _r.occurrence_id.in_(old),
        occurrence: _o.id.in_(old),
        tick_log: rules.ticks,
        worker_instance: rules.workers,
        **rules.hours,
        **rules.alerts,
    }
    counts = {table: sa.select(sa.func.count()).select_from(table) for table in PRUNED}
    return {
        table.name: connection.execute(count.where(which[table])).scalar_one()
        for table, count in counts.items()
    }


@dataclass(frozen=True)
class _Rules:
    """The rows of each table that are too old, or too many."""

    connection: sa.Connection
    now: datetime
    keep: Keep

    def _ago(self, days: int) -> datetime:
        return self.now - timedelta(days=days)

    def _newest(self, column: sa.Column[Any], order: sa.Column[Any], most: int | None) -> Any:
        """The column of the newest row that is one too many; None if there is none."""
        query = sa.select(column).order_by(order.desc()).offset(most).limit(1)
        return None if most is None else self.connection.execute(query).scalar()

    @cached_property
    def occurrences(self) -> sa.ColumnElement[bool]:
        cut = self._newest(_r.occurrence_id, _r.id, self.keep.most_runs)
        return sa.or_(_o.decided_at < self._ago(self.keep.days), _at_most(_o.id, cut))

    @cached_property
    def log_lines(self) -> sa.ColumnElement[bool]:
        cut = self._newest(_l.id, _l.id, self.keep.most_log_lines)
        return sa.or_(_l.at < self._ago(self.keep.log_days), _at_most(_l.id, cut))

    @cached_property
    def ticks(self) -> sa.ColumnElement[bool]:
        cut = self._newest(_t.started_at, _t.started_at, self.keep.most_ticks)
        return sa.or_(_t.started_at < self._ago(self.keep.tick_days), _at_most(_t.started_at, cut))

    @property
    def workers(self) -> sa.ColumnElement[bool]:
        ended = _w.status.in_((WorkerStatus.STOPPED, WorkerStatus.DEAD))
        return sa.and_(_w.last_heartbeat_at < self._ago(self.keep.days), ended)

    @property
    def hours(self) -> dict[sa.Table, sa.ColumnElement[bool]]:
        # Not the hour of all time: those rows keep what the others that go have summed up to.
        first, last = ALL_TIME + timedelta(hours=1), self._ago(self.keep.statistics_days)
        return {table: table.c.hour.between(first, last) for table in (run_hour, occurrence_hour)}

    @property
    def alerts(self) -> dict[sa.Table, sa.ColumnElement[bool]]:
        """Alerts, deliveries and mutes that are over; the messages of an alert go with it."""
        old, delivery = self._ago(self.keep.days), alert_delivery.c
        # Nobody has tried for so long: the channel is set up no more.
        is_left = sa.and_(sa.text("alert_delivery.status = 'OWED'"), delivery.available_at < old)
        is_over = sa.or_(delivery.ended_at < old, is_left)
        return {
            alert: alert.c.resolved_at < old,
            alert_delivery: sa.and_(delivery.alert_id.is_(None), is_over),
            alert_mute: alert_mute.c.until < old,
        }


@dataclass
class _Pruning:
    """A pruning at work; each step says whether it came to its end."""

    engine: sa.Engine
    now: datetime
    keep: Keep
    may_go_on: Callable[[], bool]
    patience_seconds: float
    gone: Counter[str] = field(default_factory=Counter)

    @cached_property
    def rules(self) -> _Rules:
        """The rows to delete."""
        # Worked out once, so that a long pruning does not chase new rows.
        with self.engine.connect() as connection:
            rules = _Rules(connection, self.now, self.keep)
            _ = rules.occurrences, rules.log_lines, rules.ticks
            return rules

    def ledger(self) -> bool:
        """Some occurrences at a time: their logs, then their runs with they themselves."""
        for ids in self._pages(occurrence, self.rules.occurrences, _is_kept(), 1 + _o.runs):
            runs = sa.select(_r.id).where(_r.occurrence_id.in_(ids))
            if not self._delete(job_log, _l.run_id.in_(runs)):
                return False
            # The logs went before: a run of a talkative job may have more lines than a slice.
            with begin_within(self.engine, self.patience_seconds) as connection:
                self._delete_occurrences(connection, ids)
        return self.may_go_on()

    def _delete_occurrences(self, connection: sa.Connection, ids: list[int]) -> None:
        of_these = _r.occurrence_id.in_(ids)
        # What no tick has counted yet is counted now: statistics outlive the rows.
        count_runs(connection, connection.execute(sa.select(_r.id).where(of_these)).scalars().all())
        count_occurrences(connection, ids)
        latest = sa.func.max(sa.func.coalesce(_o.scheduled_until, _o.scheduled_for, _o.decided_at))
        up_to = connection.execute(sa.select(latest).where(_o.id.in_(ids))).scalar()
        self.gone["job_run"] += connection.execute(sa.delete(job_run).where(of_these)).rowcount
        gone = connection.execute(sa.delete(occurrence).where(_o.id.in_(ids))).rowcount
        self.gone["occurrence"] += gone
        # A proof knows by this from where on the ledger is whole.
        if up_to is not None:
            note_ledger(connection, up_to, self.now)

    def logs(self) -> bool:
        """Lines that are old, although their runs are kept."""
        for ids in self._pages(job_log, self.rules.log_lines, sa.false(), sa.literal_column("1")):
            self._delete(job_log, _l.id.in_(ids))
        return self.may_go_on()

    def ticks(self) -> bool:
        """Rows of ticks; what they sum up to stays."""
        slice_ = sa.select(_t.id).where(self.rules.ticks).order_by(_t.started_at).limit(SLICE)
        while self.may_go_on():
            with begin_within(self.engine, self.patience_seconds) as connection:
                ids = connection.execute(slice_.with_for_update(skip_locked=True)).scalars().all()
                these = _t.id.in_(ids)
                sums = connection.execute(sa.select(*sums_of_ticks()).where(these)).one()
                deleted = connection.execute(sa.delete(tick_log).where(these))
                self.gone["tick_log"] += deleted.rowcount
                # In the same transaction, so that no metric that only rises ever falls.
                note_ticks(connection, dict(sums._mapping), self.now)
            if len(ids) < SLICE:
                return True
        return False

    def workers(self) -> bool:
        """Processes that ended long ago."""
        return self._delete(worker_instance, self.rules.workers)

    def hours(self) -> bool:
        """Hours too old for any statistics; the rows of all time stay."""
        for table, old in self.rules.hours.items():
            with begin_within(self.engine, self.patience_seconds) as connection:
                self.gone[table.name] += connection.execute(sa.delete(table).where(old)).rowcount
        return self.may_go_on()

    def alerts(self) -> bool:
        """Alerts and mutes that are over, and what machines were told."""
        return all([self._delete(*each) for each in self.rules.alerts.items()])

    def _pages(
        self,
        table: sa.Table,
        old: sa.ColumnElement[bool],
        kept: sa.ColumnElement[bool],
        rows: sa.ColumnElement[int],
    ) -> Iterator[list[int]]:
        """The ids of old rows, from the lowest id on; `rows` are how many go with each."""
        # Ids rise with time, near enough: so the first page without an old row is the end, and no
        # index on a time is needed.
        after = 0
        columns = table.c.id, old.label("old"), kept.label("kept"), rows.label("rows")
        page = sa.select(*columns).order_by(table.c.id)
        while self.may_go_on():
            with self.engine.connect() as connection:
                found = connection.execute(page.where(table.c.id > after).limit(SLICE)).all()
            if not any(row.old for row in found):
                return
            for ids in _parts((row.id, row.rows) for row in found if row.old and not row.kept):
                if not self.may_go_on():
                    return
                yield ids
            after = found[-1].id

    def _delete(self, table: sa.Table, which: sa.ColumnElement[bool]) -> bool:
        slice_ = sa.select(table.c.id).where(which).limit(SLICE)
        while self.may_go_on():
            with begin_within(self.engine, self.patience_seconds) as connection:
                query = sa.delete(table).where(table.c.id.in_(slice_))
                removed = connection.execute(query).rowcount
            self.gone[table.name] += removed
            if removed < SLICE:
                return True
        return False


def _parts(counted: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """The ids in parts with which about SLICE rows go, or that of a single id."""
    part: list[int] = []
    size = 0
    for id, rows in counted:
        if part and size + rows > SLICE:
            yield part
            part, size = [], 0
        part.append(id)
        size += rows
    if part:
        yield part


def sums_of_ticks() -> list[sa.Label[int]]:
    """Sums of the log of ticks: they only rise when those of pruned rows are added."""
    summed = [_t.due, _t.fired, _t.not_fired, _t.runs, _t.rescued]
    failed = sa.case((_t.error.is_not(None), 1), else_=0)
    return [
        sa.func.count().label("ticks"),
        sa.func.coalesce(sa.func.sum(failed), 0).label("failed"),
        *(sa.func.coalesce(sa.func.sum(column), 0).label(column.name) for column in summed),
    ]


def _is_kept() -> sa.ColumnElement[bool]:
    """Whether it stays however old it is: it lives, or is the last that its schedule fired."""
    last = sa.select(_s.last_occurrence_id).where(_s.last_occurrence_id.is_not(None))
    return sa.or_(_o.outcome.in_(LIVE_OUTCOMES), _o.id.in_(last))


def _at_most(column: sa.Column[Any], cut: Any) -> sa.ColumnElement[bool]:
    return sa.false() if cut is None else column <= cut
