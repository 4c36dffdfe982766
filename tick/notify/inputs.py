"""Reads the inputs of the alert rules from the database: bounded, by indexes, in few statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import Any

import sqlalchemy as sa

from tick.define import alerts
from tick.define.alerts import Deadline, NoSuccess, Rule, RunsLong
from tick.engine.ledger.audit import SYSTEM
from tick.engine.ledger.tick_log import read_older_zone_data, read_tick_health
from tick.engine.statistics.durations import read_forecast_runs
from tick.policy.expected_end import expect_end
from tick.policy.tick_health import TickHealth
from tick.states import (
    LIVE_OUTCOMES,
    OccurrenceKind,
    Outcome,
    RunStatus,
    ScheduleState,
    WorkerStatus,
)
from tick.store.sql import AnyRow, literal_state
from tick.store.tables import IS_ACTIVE, alert, job_run, job_schedule, occurrence, worker_instance
from tick.text import excerpt

MOST_AT_ONCE = 500
# An alert of an event has no end to wait for: it is shown as open for so long.
EVENT_LASTS = timedelta(hours=1)
# Three times the usual of a job of seconds would be noise.
NEVER_LONG = timedelta(minutes=1)
LEARNED_FROM = 30
LEAST_LEARNED_FROM = 5
_LONGEST_ERROR = 200
_NO_FAILURES: Mapping[int, Mapping[str, list[str]]] = {}
_a, _o, _r, _s, _w = alert.c, occurrence.c, job_run.c, job_schedule.c, worker_instance.c


@dataclass(frozen=True)
class OccurrenceContext:
    """Holds an occurrence (`row`: its columns) with its schedule's name and rules."""

    row: AnyRow
    name: str
    rules: tuple[Rule, ...]
    ping_url: str | None
    consecutive_failures: int
    failures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The jobs of its failed runs by their error."""


@dataclass(frozen=True)
class AlertInputs:
    """Holds everything that the rules judge, as of one instant."""

    now: datetime
    ticks: TickHealth
    due_since: datetime | None = None
    """Since when schedules are due, if there was never a tick."""
    older_zone_data: str | None = None
    """A recent tick's message that its time zone data are older than those in force."""
    ended: tuple[OccurrenceContext, ...] = ()
    """Occurrences that came to their outcome and were not judged yet, the oldest first."""
    live: tuple[OccurrenceContext, ...] = ()
    typical: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Median and 95th percentile of the seconds of a schedule's successes, if there are enough."""
    expected: dict[int, datetime] = field(default_factory=dict)
    """When live occurrences that have a deadline will have ended, by their id."""
    troubled: tuple[AnyRow, ...] = ()
    """Schedules in ERROR or paused by the system, and those lately removed while they were on."""
    missing_successes: tuple[tuple[AnyRow, datetime, timedelta], ...] = ()
    """Schedules with a NoSuccess rule, since when they had no success, and the time they have."""
    dead: tuple[AnyRow, ...] = ()
    """Processes that were declared dead a short while ago."""
    open: tuple[AnyRow, ...] = ()
    """Alerts, with the schedule's `consecutive_failures` and name, and the occurrence's outcome."""


def read_inputs(connection: sa.Connection, now: datetime) -> AlertInputs:
    """Read all inputs of the rules."""
    live = _contexts(connection.execute(_LIVE).all())
    recently = {"after": now - EVENT_LASTS}
    ticks = read_tick_health(connection, now)
    return AlertInputs(
        now=now,
        ticks=ticks,
        due_since=None if ticks.last_at else connection.execute(_FIRST_DUE).scalar(),
        older_zone_data=read_older_zone_data(connection, now),
        ended=_read_ended(connection),
        live=live,
        typical=_read_typical(connection, _running_on(_with(live, RunsLong), now)),
        expected=_read_expected(connection, _with(live, Deadline), now),
        troubled=tuple(connection.execute(_TROUBLED, recently)),
        missing_successes=tuple(_read_missing_successes(connection)),
        dead=tuple(connection.execute(_DEAD, recently)),
        open=tuple(connection.execute(_OPEN)),
    )


def ping_url_of(stored: Any) -> str | None:
    """Return the ping URL in a schedule's column `alerts`, or None."""
    return (stored or {}).get("ping_url")


def _contexts(
    rows: Iterable[AnyRow], failures: Mapping[int, Mapping[str, list[str]]] = _NO_FAILURES
) -> tuple[OccurrenceContext, ...]:
    return tuple(
        OccurrenceContext(
            row=row,
            name=row.schedule_name or row.title or row.schedule_id or "A manual firing",
            rules=alerts.of_schedule(row.alerts) if row.schedule_id else (),
            ping_url=ping_url_of(row.alerts),
            consecutive_failures=row.consecutive_failures or 0,
            failures=failures.get(row.id, {}),
        )
        for row in rows
    )


def _read_ended(connection: sa.Connection) -> tuple[OccurrenceContext, ...]:
    rows = connection.execute(_ENDED).all()
    failed = [row.id for row in rows if row.failed]
    found: dict[int, dict[str, list[str]]] = {}
    for run in connection.execute(_FAILURES, {"ids": failed}) if failed else ():
        text = ": ".join(part for part in (run.error_type, run.error_message) if part)
        error = excerpt(text, _LONGEST_ERROR) or "it failed"
        found.setdefault(run.occurrence_id, {}).setdefault(error, []).append(run.job_name)
    return _contexts(rows, found)


def _with(live: Iterable[OccurrenceContext], kind: type[Rule]) -> list[OccurrenceContext]:
    """Return those that have a rule of this kind."""
    return [context for context in live if any(isinstance(rule, kind) for rule in context.rules)]


def _running_on(live: Iterable[OccurrenceContext], now: datetime) -> set[str]:
    """Return the ids of schedules with an occurrence that could be called long."""
    rows = [context.row for context in live if context.row.first_started_at is not None]
    return {row.schedule_id for row in rows if now - row.first_started_at > NEVER_LONG}


def _read_typical(
    connection: sa.Connection, ids: Collection[str]
) -> dict[str, tuple[float, float]]:
    """Return how long the latest successes took, by schedule with enough of them."""
    found = {}
    for schedule_id in sorted(ids):
        rows = connection.execute(_SUCCESSES, {"id": schedule_id})
        took = [(row.last_finished_at - row.first_started_at).total_seconds() for row in rows]
        if len(took) >= LEAST_LEARNED_FROM:
            p95 = quantiles(took, n=20, method="inclusive")[-1]
            found[schedule_id] = median(took), p95
    return found


def _read_expected(
    connection: sa.Connection, live: Iterable[OccurrenceContext], now: datetime
) -> dict[int, datetime]:
    """Return when occurrences will have ended, by id."""
    runs = read_forecast_runs(connection, [context.row.id for context in live], now)
    found = {id: expect_end(its_runs, now) for id, its_runs in runs.items()}
    return {id: expected.ends_at for id, expected in found.items() if expected is not None}


def _read_missing_successes(
    connection: sa.Connection,
) -> Iterable[tuple[AnyRow, datetime, timedelta]]:
    for row in connection.execute(_WANTS_SUCCESS):
        within = [r.within for r in alerts.of_schedule(row.alerts) if isinstance(r, NoSuccess)]
        if within:
            last = connection.execute(_LAST_SUCCESS, {"id": row.id}).scalar()
            # Time in which it was off or paused does not count.
            begun = [row.created_at, row.enabled_at, row.state_at, last]
            yield row, max(instant for instant in begun if instant is not None), within[0]


def _occurrences() -> sa.Select[Any]:
    return sa.select(
        occurrence, _s.name.label("schedule_name"), _s.alerts, _s.consecutive_failures
    ).select_from(occurrence.outerjoin(job_schedule, _s.id == _o.schedule_id))


_ENDED = (
    _occurrences()
    # Word for word as its partial index has it, so that both databases use that.
    .where(sa.text("NOT occurrence.judged"), ~literal_state(_o.outcome, *LIVE_OUTCOMES))
    .order_by(_o.id)
    .limit(MOST_AT_ONCE)
)
_LIVE = (
    _occurrences()
    .where(
        literal_state(_o.outcome, *LIVE_OUTCOMES),
        _o.schedule_id.is_not(None),
        _o.kind != OccurrenceKind.MANUAL,
    )
    # As the partial index has them: in the order of ids SQLite would read the whole ledger.
    .order_by(_o.schedule_id, _o.id)
    .limit(MOST_AT_ONCE)
)
_FAILURES = (
    sa.select(_r.occurrence_id, _r.job_name, _r.error_type, _r.error_message)
    .where(_r.occurrence_id.in_(sa.bindparam("ids", expanding=True)), _r.status == RunStatus.FAILED)
    .order_by(_r.id)
    .limit(10 * MOST_AT_ONCE)
)
_SUCCESSES = (
    sa.select(_o.first_started_at, _o.last_finished_at)
    .where(
        _o.schedule_id == sa.bindparam("id"),
        _o.outcome == Outcome.SUCCESS,
        _o.first_started_at.is_not(None),
    )
    .order_by(_o.id.desc())
    .limit(LEARNED_FROM)
)
_LAST_SUCCESS = (
    sa.select(_o.last_finished_at)
    .where(_o.schedule_id == sa.bindparam("id"), _o.outcome == Outcome.SUCCESS)
    .order_by(_o.id.desc())
    .limit(1)
)
_TROUBLED = (
    sa.select(_s.id, _s.name, _s.state, _s.state_reason, _s.state_by, _s.state_at)
    .where(
        sa.or_(
            _s.state == ScheduleState.ERROR,
            sa.and_(literal_state(_s.state, ScheduleState.PAUSED), _s.state_by == SYSTEM.name),
            sa.and_(
                _s.state == ScheduleState.REMOVED,
                _s.enabled,
                _s.state_at > sa.bindparam("after", type_=_s.state_at.type),
            ),
        )
    )
    .order_by(_s.id)
    .limit(MOST_AT_ONCE)
)
_WANTS_SUCCESS = (
    sa.select(_s.id, _s.name, _s.alerts, _s.created_at, _s.enabled_at, _s.state_at)
    .where(
        _s.enabled,
        _s.state == ScheduleState.ACTIVE,
        # A cheap first look, in SQL that both databases have: Python reads the rules themselves.
        sa.cast(_s.alerts, sa.Text).contains(f'"{NoSuccess.NAME}"'),
    )
    .order_by(_s.id)
    .limit(MOST_AT_ONCE)
)
_FIRST_DUE = sa.select(sa.func.min(_s.next_run_at, type_=_s.next_run_at.type)).where(IS_ACTIVE)
_DEAD = (
    sa.select(_w.id, _w.hostname, _w.worker_type, _w.last_heartbeat_at, _w.stopped_at)
    .where(
        _w.status == WorkerStatus.DEAD,
        _w.stopped_at > sa.bindparam("after", type_=_w.stopped_at.type),
    )
    .order_by(_w.id)
    .limit(MOST_AT_ONCE)
)
_OPEN = (
    sa.select(alert, _s.name.label("schedule_name"), _s.consecutive_failures, _o.outcome)
    .select_from(
        alert.outerjoin(job_schedule, _s.id == _a.schedule_id).outerjoin(
            occurrence, _o.id == _a.occurrence_id
        )
    )
    .where(_a.resolved_at.is_(None))
    .order_by(_a.key)
    .limit(10 * MOST_AT_ONCE)
)
