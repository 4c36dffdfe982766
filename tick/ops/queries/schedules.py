"""Schedules: their shape, and how they are found and listed."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BeforeValidator, Field

from tick.define.alerts import of_schedule
from tick.define.environments import in_words
from tick.engine.ledger.versions import PIN
from tick.engine.schedules.labels import has_label
from tick.errors import NotFound
from tick.ops.queries.descriptions import (
    Selected,
    Timing,
    describe_alert,
    describe_target,
    describe_timing,
    next_firing,
    next_instants,
)
from tick.ops.queries.history import RecentOccurrence, list_recent
from tick.ops.queries.limits import Limits, limits_of
from tick.ops.queries.occurrences import Occurrence, occurrences_by_id
from tick.ops.queries.paging import PAGE_ROWS, paged
from tick.ops.queries.proposal_names import ProposalNames
from tick.ops.queries.revisions import revision_of
from tick.ops.schemas import Internal, Page, Schema
from tick.policy.rule import Rule
from tick.states import (
    FIRED_OUTCOMES,
    MissedPolicy,
    Mode,
    OverlapPolicy,
    ScheduleSource,
    ScheduleState,
)
from tick.store.sql import AnyRow
from tick.store.tables import alert, alert_mute, job_schedule, occurrence, schedule_version

_s, _v, _o = job_schedule.c, schedule_version.c, occurrence.c
MOST_PASSED = 100


def _parsed(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None


def _listed(labels: object) -> object:
    return labels or ()


class Pin(Schema):
    """An earlier version that a schedule goes by, until its definition changes."""

    version: int = Field(description="whose rule and jobs are in force")
    over: int = Field(description="the version that says what the definition says")
    by: str
    since: datetime
    reason: str

    @property
    def words(self) -> str:
        """Return the pin in words."""
        return f"pinned to version {self.version} by {self.by}: {self.reason}"


class Schedule(ProposalNames):
    """A schedule: its definition in force, where it stands, its last firing."""

    id: str
    name: str
    description: str
    labels: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    enabled: bool
    enabled_at: datetime | None
    enabled_by: str | None
    state: ScheduleState
    state_reason: str | None
    state_by: str | None
    state_until: datetime | None = Field(description="when a pause ends by itself")
    source: ScheduleSource = Field(description="CUSTOM: made by hand; it may be edited here")
    next_run_at: datetime | None = Field(description="when it fires next, by rule and calendar")
    last_run_at: datetime | None = Field(description="when it last fired by itself")
    last_run_id: int | None = Field(description="the first run of that firing")
    run_count: int
    failure_count: int
    consecutive_failures: int
    last_error: str | None
    version: int | None
    version_since: datetime | None
    pin: Pin | None = Field(
        None, description="set while it goes by an earlier version than its definition's"
    )
    rule: Annotated[dict[str, Any] | None, BeforeValidator(_parsed)] = Field(
        description="when it fires, as the engine reads it; defaults are left out"
    )
    missed: MissedPolicy | None = Field(description="as in effect; null if its rule can't be read")
    overlap: OverlapPolicy | None = Field(description="the same")
    limits: Limits | None = Field(description="the same")
    grace_seconds: float | None = Field(
        default=None, description="the same: set, or learned from how often it ticks"
    )
    success_rate: float | None = Field(
        default=None, description="of what fired by itself in the last 30 days; 0 to 1"
    )
    mode: Mode | None
    timing: Timing
    selected: Selected
    last: Occurrence | None = Field(description="the last occurrence that fired")
    environments: dict[str, dict[str, Any]] | None = Field(
        None, description="where it exists, and which options differ there; null: everywhere"
    )
    revision: str = Field(description="changes when somebody changes it; for If-Match")
    state_at: Internal[datetime | None] = None
    decided_to: Internal[datetime | None] = None
    rule_text: Internal[str | None] = None
    alerts: Internal[Any] = None
    open_alerts: Internal[int] = 0
    may_be_muted: Internal[bool] = False
    recent: Internal[tuple[RecentOccurrence, ...]] = ()

    @property
    def alert_words(self) -> tuple[str, ...]:
        """Return its alert rules in words."""
        return tuple(describe_alert(rule) for rule in of_schedule(self.alerts))

    @property
    def environment_words(self) -> tuple[str, ...]:
        """Return its environments, each with what differs there."""
        return tuple(
            in_words(name, differing)
            for name, differing in sorted((self.environments or {}).items())
        )

    @property
    def has_own_alerts(self) -> bool:
        """Whether its alert rules are not those that every schedule has."""
        return bool(self.alerts) and self.alerts.get("rules") is not None

    @property
    def pings(self) -> bool:
        """Whether its starts and ends ping a dead-man's switch of its own."""
        return bool(self.alerts) and bool(self.alerts.get("ping_url"))

    @property
    def fires(self) -> bool:
        """Whether its instants fire: switched on, and neither paused, broken nor removed."""
        return self.enabled and self.state == ScheduleState.ACTIVE

    def is_due(self, now: datetime) -> bool:
        """Whether one of its instants has come and is not decided yet."""
        return self.fires and self.next_run_at is not None and self.next_run_at <= now

    def passed_in_pause(self, now: datetime) -> list[datetime]:
        """Return the first MOST_PASSED nominal instants that its pause kept back, oldest first."""
        if self.state != ScheduleState.PAUSED or self.state_at is None:
            return []
        # What was being caught up when it paused itself is not decided either.
        begin = min(self.state_at, self.decided_to or self.state_at)
        found = next_instants(self.rule_text, begin, MOST_PASSED)
        return [instant for instant in found if instant <= now]


# A manual firing leaves the schedule's own columns alone, so the ledger is asked.
_LAST_FIRED = (
    sa.select(_o.id)
    .where(_o.schedule_id == _s.id, _o.outcome.in_(FIRED_OUTCOMES))
    .order_by(_o.id.desc())
    .limit(1)
    .correlate(job_schedule)
    .scalar_subquery()
)
_OPEN_ALERTS = (
    sa.select(sa.func.count())
    .where(alert.c.schedule_id == _s.id, alert.c.resolved_at.is_(None))
    .correlate(job_schedule)
    .scalar_subquery()
)
_MAY_BE_MUTED = (
    sa.select(alert_mute.c.id)
    .where(
        alert_mute.c.ended_at.is_(None),
        sa.or_(alert_mute.c.schedule_id.is_(None), alert_mute.c.schedule_id == _s.id),
    )
    .correlate(job_schedule)
    .exists()
)
_ROWS = sa.select(
    *(_s[name] for name in Schedule.model_fields if name in _s),
    _v.number.label("version"),
    PIN,
    _v.since.label("version_since"),
    _v.rule,
    _v.mode,
    _v.target,
    _LAST_FIRED.label("last_fired_id"),
    _OPEN_ALERTS.label("open_alerts"),
    _MAY_BE_MUTED.label("may_be_muted"),
).outerjoin_from(job_schedule, schedule_version, _v.id == _s.version_id)


_PINS = (
    sa.select(_s.id, PIN)
    .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
    .where(_v.definition["pin"]["version"].as_integer().is_not(None))
    .where(_s.state != ScheduleState.REMOVED)
    .order_by(_s.id)
)


class SchedulePage(Page[Schedule]):
    """Schedules by id."""


def list_schedules(
    connection: sa.Connection, *, after: str | None = None, label: str | None = None
) -> SchedulePage:
    """Return a page of schedules with last firing and recent outcomes; three statements."""
    query = _ROWS.order_by(_s.id).limit(PAGE_ROWS + 1)
    if label is not None:
        query = query.where(has_label(label))
    if after is not None:
        query = query.where(_s.id > after)
    rows = connection.execute(query).all()
    page = paged(SchedulePage, _with_history(connection, rows[:PAGE_ROWS]))
    return page if len(rows) <= PAGE_ROWS else page.model_copy(update={"next": page.items[-1].id})


def get_schedule(connection: sa.Connection, schedule_id: str) -> Schedule:
    """Return a schedule with its last firing and recent outcomes. Raises NotFound."""
    return _with_history(connection, [_row(connection, schedule_id)])[0]


def find_schedule(connection: sa.Connection, schedule_id: str) -> Schedule:
    """Return a schedule without last firing and recent outcomes. Raises NotFound."""
    return _schedule(_row(connection, schedule_id))


def _row(connection: sa.Connection, schedule_id: str) -> AnyRow:
    row = connection.execute(_ROWS.where(_s.id == schedule_id)).one_or_none()
    if row is None:
        raise no_schedule(schedule_id)
    return row


def no_schedule(schedule_id: str) -> NotFound:
    """Return the error for an id that no schedule has."""
    return NotFound(
        f"No schedule is called {schedule_id!r}; `tick schedules` lists those there are."
    )


def list_pins(connection: sa.Connection) -> dict[str, Pin]:
    """Return the pins of schedules that are there, by id."""
    found = connection.execute(_PINS)
    return {row.id: Pin.model_validate(row.pin) for row in found}


def schedule_names(connection: sa.Connection) -> dict[str, str]:
    """Return names by id for a list to choose from; the first 500."""
    found = connection.execute(sa.select(_s.id, _s.name).order_by(_s.name, _s.id).limit(500))
    return {row.id: row.name for row in found}


def names_with_label(connection: sa.Connection, label: str, most: int) -> dict[str, str]:
    """Return the names of the first schedules with a label by id; without those removed."""
    found = sa.select(_s.id, _s.name).where(has_label(label), _s.state != ScheduleState.REMOVED)
    return {row.id: row.name for row in connection.execute(found.order_by(_s.id).limit(most))}


def list_labels(connection: sa.Connection) -> dict[str, int]:
    """Return the labels there are, and how many schedules have each."""
    rows = connection.execute(_LABELS).scalars()
    return dict(sorted(Counter(label for labels in rows for label in labels or ()).items()))


_LABELS = sa.select(_s.labels).where(
    sa.cast(_s.labels, sa.Text).contains('"'), _s.state != ScheduleState.REMOVED
)


def _with_history(connection: sa.Connection, rows: Sequence[AnyRow]) -> list[Schedule]:
    last = occurrences_by_id(connection, (row.last_fired_id for row in rows))
    recent = list_recent(connection, (row.id for row in rows))
    return [
        _schedule(row, last.get(row.last_fired_id or 0), recent.get(row.id, ())) for row in rows
    ]


def _schedule(
    row: AnyRow, last: Occurrence | None = None, recent: tuple[RecentOccurrence, ...] = ()
) -> Schedule:
    timing = describe_timing(row.rule)
    rule = None if timing.mistake else Rule.from_json(row.rule)
    return Schedule(
        timing=timing,
        missed=None if rule is None else rule.missed,
        overlap=None if rule is None else rule.overlap,
        limits=limits_of(row.rule, row.target),
        selected=describe_target(row.mode, row.target),
        last=last,
        recent=recent,
        rule_text=row.rule,
        # Only columns that people change: a firing in between must not make their form stale.
        revision=revision_of(row.enabled, row.enabled_at, row.state, row.state_at, row.version),
        **{**row._mapping, "next_run_at": next_firing(row.rule, row.next_run_at)},
    )
