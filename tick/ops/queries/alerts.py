"""Alerts as people read them: what is wrong, what was, who was told, and what is muted."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.engine.schedules.mutes import is_muted
from tick.errors import NotFound
from tick.ops.queries.paging import PAGE_ROWS, Page, cut
from tick.ops.queries.revisions import revision_of
from tick.states import DeliveryStatus
from tick.store.sql import AnyRow
from tick.store.tables import alert, alert_attempt, alert_delivery, alert_mute, job_schedule

_a, _d, _t, _m, _s = (
    alert.c,
    alert_delivery.c,
    alert_attempt.c,
    alert_mute.c,
    job_schedule.c,
)
MUTES_LISTED = 100
DELIVERIES_LISTED = 100
ATTEMPTS_LISTED = 500


@dataclass(frozen=True)
class AlertRow:
    """An alert; open while `resolved_at` is None. `owed` counts messages still to be sent."""

    id: int
    rule: str
    schedule_id: str | None
    schedule_name: str | None
    occurrence_id: int | None
    title: str
    message: str
    at: datetime
    expires_at: datetime | None
    resolved_at: datetime | None
    resolution: str | None
    closed_by: str | None
    muted: bool
    delivered: int
    owed: int
    gave_up: int


@dataclass(frozen=True)
class AttemptRow:
    """One attempt to deliver; `error` is None when it was taken."""

    at: datetime
    took_seconds: float
    error: str | None


@dataclass(frozen=True)
class DeliveryRow:
    """A message to one channel, with its attempts, the oldest first."""

    id: int
    channel: str
    event: str
    status: DeliveryStatus
    available_at: datetime
    ended_at: datetime | None
    error: str | None
    attempts: tuple[AttemptRow, ...]


@dataclass(frozen=True)
class AlertDetail:
    """An alert and who was told of it."""

    alert: AlertRow
    deliveries: tuple[DeliveryRow, ...]


@dataclass(frozen=True)
class MuteRow:
    """A mute that lasts; of all schedules, or all rules, where there is None."""

    id: int
    schedule_id: str | None
    rule: str | None
    reason: str
    created_by: str
    created_at: datetime
    until: datetime

    @property
    def revision(self) -> str:
        """Changes when somebody ends it."""
        return revision_of(self.id, None)


def list_alerts(
    connection: sa.Connection,
    now: datetime,
    *,
    open: bool | None = None,
    rule: str | None = None,
    schedule_id: str | None = None,
    before: int | None = None,
) -> Page[AlertRow]:
    """A page of alerts, newest first: all, the open or the resolved ones."""
    query = _alerts(now).order_by(_a.id.desc()).limit(PAGE_ROWS + 1)
    if open is not None:
        query = query.where(
            alert.c.resolved_at.is_(None) if open else alert.c.resolved_at.is_not(None)
        )
    if rule is not None:
        query = query.where(_a.rule == rule)
    if schedule_id is not None:
        query = query.where(_a.schedule_id == schedule_id)
    if before is not None:
        query = query.where(_a.id < before)
    return cut([AlertRow(**row._mapping) for row in connection.execute(query)])


def get_alert(connection: sa.Connection, alert_id: int, now: datetime) -> AlertDetail:
    """An alert and what became of its messages. Raises NotFound."""
    row = connection.execute(_alerts(now).where(_a.id == alert_id)).first()
    if row is None:
        raise NotFound(f"There is no alert {alert_id}; it may have been pruned.")
    deliveries = connection.execute(
        sa.select(alert_delivery)
        .where(_d.alert_id == alert_id)
        .order_by(_d.id)
        .limit(DELIVERIES_LISTED)
    ).all()
    return AlertDetail(AlertRow(**row._mapping), _with_attempts(connection, deliveries))


def list_mutes(connection: sa.Connection, now: datetime) -> tuple[MuteRow, ...]:
    """The mutes that last now, the one that ends first at the top."""
    query = (
        sa.select(*(_m[field.name] for field in fields(MuteRow)))
        .where(_m.ended_at.is_(None), _m.until > now)
        .order_by(_m.until, _m.id)
        .limit(MUTES_LISTED)
    )
    return tuple(MuteRow(**row._mapping) for row in connection.execute(query))


def _with_attempts(
    connection: sa.Connection, deliveries: Sequence[AnyRow]
) -> tuple[DeliveryRow, ...]:
    ids = [row.id for row in deliveries]
    found: dict[int, list[AttemptRow]] = {id: [] for id in ids}
    attempts = (
        sa.select(_t.delivery_id, _t.at, _t.took_seconds, _t.error)
        .where(_t.delivery_id.in_(ids))
        .order_by(_t.id)
        .limit(ATTEMPTS_LISTED)
    )
    for row in connection.execute(attempts):
        found[row.delivery_id].append(AttemptRow(row.at, row.took_seconds, row.error))
    return tuple(
        DeliveryRow(
            **{name: getattr(row, name) for name in _DELIVERY},
            status=DeliveryStatus(row.status),
            attempts=tuple(found[row.id]),
        )
        for row in deliveries
    )


_DELIVERY = ("id", "channel", "event", "available_at", "ended_at", "error")


def _alerts(now: datetime) -> sa.Select[Any]:
    def count(status: DeliveryStatus) -> sa.ColumnElement[int]:
        mine = sa.select(sa.func.count()).where(_d.alert_id == _a.id, _d.status == status)
        return mine.correlate(alert).scalar_subquery().label(status.lower())

    plain = ("id", "rule", "schedule_id", "occurrence_id", "title", "message", "at", "expires_at")
    return sa.select(
        *(_a[name] for name in (*plain, "resolved_at", "resolution", "closed_by")),
        _s.name.label("schedule_name"),
        is_muted(now).label("muted"),
        count(DeliveryStatus.DELIVERED),
        count(DeliveryStatus.OWED),
        count(DeliveryStatus.GAVE_UP),
    ).select_from(alert.outerjoin(job_schedule, _s.id == _a.schedule_id))
