"""Alerts, their deliveries and mutes: shapes, and how they are found and listed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.engine.schedules.mutes import is_muted
from tick.errors import NotFound
from tick.ops.queries.paging import PAGE_ROWS, paged
from tick.ops.queries.revisions import revision_of
from tick.ops.schemas import Internal, Page, Schema
from tick.states import DeliveryStatus
from tick.store.sql import AnyRow
from tick.store.tables import alert, alert_attempt, alert_delivery, alert_mute, job_schedule

_a, _d, _t, _m, _s = (alert.c, alert_delivery.c, alert_attempt.c, alert_mute.c, job_schedule.c)
MUTES_LISTED = 100
DELIVERIES_LISTED = 100
ATTEMPTS_LISTED = 500


class Alert(Schema):
    """Something that is wrong, or was; open while `resolved_at` is null."""

    id: int
    rule: str
    schedule_id: str | None
    occurrence_id: int | None
    title: str
    message: str
    at: datetime
    expires_at: datetime | None = Field(description="of an event, which has no end to wait for")
    resolved_at: datetime | None
    resolution: str | None = Field(description="how it ended; null when it expired or was closed")
    closed_by: str | None
    muted: bool = Field(description="nothing is sent of it at present")
    delivered: int = Field(description="messages that a channel took")
    owed: int = Field(description="messages still to be sent")
    gave_up: int = Field(description="messages that no channel took in a day")
    schedule_name: Internal[str | None] = None


class AlertList(Page[Alert]):
    """Alerts, newest first."""


class Attempt(Schema):
    """One attempt to deliver a message."""

    at: datetime
    took_seconds: float
    error: str | None = Field(description="null when it was taken")


class Delivery(Schema):
    """A message to one channel, with its attempts."""

    id: int
    channel: str = Field(description="its kind and a digest of its address, which is a secret")
    event: str = Field(description="opened or resolved")
    status: DeliveryStatus
    available_at: datetime = Field(description="not sent, or tried again, before")
    ended_at: datetime | None
    error: str | None
    attempts: tuple[Attempt, ...]


class AlertDetail(Schema):
    """An alert and who was told of it."""

    alert: Alert
    deliveries: tuple[Delivery, ...]


class Mute(Schema):
    """A mute that lasts."""

    id: int
    schedule_id: str | None = Field(description="null: of all schedules")
    rule: str | None = Field(description="null: of all rules")
    reason: str
    created_by: str
    created_at: datetime
    until: datetime
    revision: str = Field(description="changes when somebody ends it; for If-Match")


def list_alerts(
    connection: sa.Connection,
    now: datetime,
    *,
    open: bool | None = None,
    rule: str | None = None,
    schedule_id: str | None = None,
    before: int | None = None,
) -> AlertList:
    """Return a page of alerts, newest first: all, the open or the resolved ones."""
    query = _alerts(now).order_by(_a.id.desc()).limit(PAGE_ROWS + 1)
    if open is not None:
        query = query.where(_a.resolved_at.is_(None) if open else _a.resolved_at.is_not(None))
    if rule is not None:
        query = query.where(_a.rule == rule)
    if schedule_id is not None:
        query = query.where(_a.schedule_id == schedule_id)
    if before is not None:
        query = query.where(_a.id < before)
    return paged(AlertList, [Alert(**row._mapping) for row in connection.execute(query)])


def get_alert(connection: sa.Connection, alert_id: int, now: datetime) -> AlertDetail:
    """Return an alert with the deliveries of its messages. Raises NotFound."""
    row = connection.execute(_alerts(now).where(_a.id == alert_id)).first()
    if row is None:
        raise NotFound(f"There is no alert {alert_id}; it may have been pruned.")
    deliveries = connection.execute(
        sa.select(alert_delivery)
        .where(_d.alert_id == alert_id)
        .order_by(_d.id)
        .limit(DELIVERIES_LISTED)
    ).all()
    return AlertDetail(
        alert=Alert(**row._mapping), deliveries=_with_attempts(connection, deliveries)
    )


def list_mutes(connection: sa.Connection, now: datetime) -> tuple[Mute, ...]:
    """Return the mutes that last now, by their end."""
    query = (
        sa.select(*(column for column in _m if column.name in Mute.model_fields))
        .where(_m.ended_at.is_(None), _m.until > now)
        .order_by(_m.until, _m.id)
        .limit(MUTES_LISTED)
    )
    return tuple(
        Mute(revision=revision_of(row.id, None), **row._mapping)
        for row in connection.execute(query)
    )


def _with_attempts(connection: sa.Connection, deliveries: Sequence[AnyRow]) -> tuple[Delivery, ...]:
    ids = [row.id for row in deliveries]
    found: dict[int, list[Attempt]] = {id: [] for id in ids}
    attempts = (
        sa.select(_t.delivery_id, _t.at, _t.took_seconds, _t.error)
        .where(_t.delivery_id.in_(ids))
        .order_by(_t.id)
        .limit(ATTEMPTS_LISTED)
    )
    for row in connection.execute(attempts):
        attempt = Attempt(at=row.at, took_seconds=row.took_seconds, error=row.error)
        found[row.delivery_id].append(attempt)
    return tuple(
        Delivery(**{name: getattr(row, name) for name in _DELIVERY}, attempts=tuple(found[row.id]))
        for row in deliveries
    )


_DELIVERY = ("id", "channel", "event", "status", "available_at", "ended_at", "error")


def _alerts(now: datetime) -> sa.Select[Any]:
    def count(status: DeliveryStatus) -> sa.ColumnElement[int]:
        mine = sa.select(sa.func.count()).where(_d.alert_id == _a.id, _d.status == status)
        return mine.correlate(alert).scalar_subquery().label(status.lower())

    return sa.select(
        *(_a[name] for name in Alert.model_fields if name in _a),
        _s.name.label("schedule_name"),
        is_muted(now).label("muted"),
        count(DeliveryStatus.DELIVERED),
        count(DeliveryStatus.OWED),
        count(DeliveryStatus.GAVE_UP),
    ).select_from(alert.outerjoin(job_schedule, _s.id == _a.schedule_id))
