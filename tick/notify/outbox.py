"""The outbox: deliveries are written once, claimed by one sender, and sent until accepted."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.define.alerts import UNDELIVERED
from tick.engine.schedules.mutes import is_muted, quiet_in_windows
from tick.notify.channels import Channel
from tick.notify.messages import (
    FAILED,
    OPENED,
    RESOLVED,
    STARTED,
    SUCCEEDED,
    AlertSnapshot,
    Notification,
)
from tick.policy.retry import Backoff, retry_delay
from tick.states import DeliveryStatus
from tick.store.sql import AnyRow, insert_ignore, literal_state
from tick.store.tables import alert, alert_attempt, alert_delivery

# Longer than any attempt takes, so nothing goes out twice while its sender works. A sender that
# dies before it records the result leaves the rest to another: that one sends it again.
LEASE = timedelta(seconds=60)
BACKOFF = Backoff(first_seconds=30.0, longest_seconds=1800.0)
GIVE_UP_AFTER = timedelta(hours=24)
# A new channel must not send the alerts of months.
RECENT = timedelta(hours=1)
_MAX_PENDING = 500
_SNAPSHOT = (
    *("rule", "title", "message", "at", "schedule_id", "occurrence_id"),
    *("resolved_at", "resolution"),
)
_a, _d = alert.c, alert_delivery.c


@dataclass(frozen=True)
class DeliveryPolicy:
    """Holds how long an alert waits to be sent with others, and the pause between two of a rule."""

    settle: timedelta
    rate: timedelta


@dataclass(frozen=True)
class PendingDelivery:
    """Holds a delivery that is to be enqueued."""

    key: str
    channel: str
    event: str
    available_at: datetime
    alert_id: int | None = None
    payload: dict[str, Any] | None = None


@dataclass(frozen=True)
class ClaimedBatch:
    """Holds the notifications that a sender has claimed, to be sent together."""

    channel: str
    token: str
    notifications: tuple[Notification, ...]

    @property
    def attempt(self) -> int:
        """The number of this attempt, for the notification that was tried most often."""
        return max(notification.attempt for notification in self.notifications)


def find_pending(
    connection: sa.Connection, channels: Iterable[Channel], now: datetime, policy: DeliveryPolicy
) -> list[PendingDelivery]:
    """Return deliveries for alerts that the channels accept and that are not enqueued yet."""
    found = []
    for channel in channels:
        values = {"channel": channel.id, "recently": now - RECENT}
        for row in connection.execute(_NOT_ENQUEUED[OPENED], values):
            if channel.accepts(row.rule) and row.key != undelivered_key(channel.id):
                at = _next_delivery_time(connection, channel, row.rule, now, policy)
                found.append(_of_alert(row.id, channel, OPENED, at))
        for row in connection.execute(_NOT_ENQUEUED[RESOLVED], values):
            found.append(_of_alert(row.id, channel, RESOLVED, now))
    return found


def enqueue_deliveries(
    connection: sa.Connection, pending: Iterable[PendingDelivery], now: datetime
) -> None:
    """Write deliveries, leaving alone those that exist."""
    rows = [vars(one) | {"created_at": now} for one in pending]
    if rows:
        connection.execute(insert_ignore(connection.dialect.name, alert_delivery), rows)


def drop(connection: sa.Connection, now: datetime, *which: sa.ColumnElement[bool]) -> None:
    """Drop matching deliveries that nobody is sending."""
    connection.execute(
        sa.update(alert_delivery)
        .where(_OWED, _UNCLAIMED, *which)
        .values(status=DeliveryStatus.DROPPED, ended_at=now)
    )


def due_channels(connection: sa.Connection, now: datetime) -> list[str]:
    """Return the ids of channels with due deliveries, the longest waiting first."""
    due = sa.select(_d.channel).where(*_due(now)).group_by(_d.channel)
    by_age = due.order_by(sa.func.min(_d.available_at), _d.channel)
    return list(connection.execute(by_age).scalars())


def claim(connection: sa.Connection, channel: Channel, now: datetime) -> ClaimedBatch | None:
    """Claim a channel's next notifications, the oldest first; None if nothing is due."""
    due = (
        sa.select(_d.id)
        .where(_d.channel == channel.id, *_due(now), ~_overtakes_a_start(channel))
        .order_by(_d.id)
        .limit(channel.batch_size)
        .with_for_update(skip_locked=True)
    )
    if (quiet := quiet_in_windows(connection, now)) is not None:
        due = due.where(~sa.exists().where(_a.id == _d.alert_id, quiet))
    ids = connection.execute(due).scalars().all()
    # The condition again: SQLite has no row locks, and the row count decides who sends.
    token = secrets.token_hex(8)
    taken = connection.execute(
        sa.update(alert_delivery)
        .where(_d.id.in_(ids), _OWED, _is_free(now))
        .values(token=token, leased_until=now + LEASE, attempt=_d.attempt + 1)
    ).rowcount
    if not taken:
        return None
    rows = connection.execute(_CLAIMED, {"token": token}).all()
    return ClaimedBatch(channel.id, token, tuple(_notification(row) for row in rows))


def record(
    connection: sa.Connection,
    claimed: ClaimedBatch,
    now: datetime,
    took_seconds: float,
    error: str | None,
) -> list[Notification]:
    """Record the result of an attempt, and return the notifications that are given up."""
    attempt = {"at": now, "took_seconds": took_seconds, "error": error}
    attempts = [attempt | {"delivery_id": each.id} for each in claimed.notifications]
    connection.execute(sa.insert(alert_attempt), attempts)
    # By the token: a sender whose lease ended while it sent records nothing about another's work.
    mine: list[Any] = [_d.token == claimed.token, _OWED]
    if error is None:
        taken = {"status": DeliveryStatus.DELIVERED, "ended_at": now, "error": None}
        connection.execute(sa.update(alert_delivery).where(*mine).values(taken))
        return []
    given_up = [p for p in claimed.notifications if now - p.created_at >= GIVE_UP_AFTER]
    first = claimed.notifications[0].id
    pause = retry_delay(BACKOFF, run_id=first, attempt=claimed.attempt)
    again_at = now + timedelta(seconds=pause)
    connection.execute(
        sa.update(alert_delivery)
        .where(*mine, _d.id.in_([notification.id for notification in given_up]))
        .values(status=DeliveryStatus.GAVE_UP, ended_at=now, error=error)
    )
    failed = {"token": None, "leased_until": None, "error": error, "available_at": again_at}
    connection.execute(sa.update(alert_delivery).where(*mine).values(failed))
    # The channel as a whole waits: its receiver is down, and each would find out by itself.
    connection.execute(
        sa.update(alert_delivery)
        .where(_d.channel == claimed.channel, _OWED, _d.available_at < again_at, _UNCLAIMED)
        .values(available_at=again_at)
    )
    return given_up


def muted_alert(now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that the alert of a delivery is muted."""
    return sa.exists().where(_a.id == _d.alert_id, is_muted(now))


def undelivered_key(channel_id: str) -> str:
    """Return the key of the alert that a channel can't be reached; the others get it."""
    return f"{UNDELIVERED}:{channel_id}"


def _of_alert(alert_id: int, channel: Channel, event: str, at: datetime) -> PendingDelivery:
    key = f"alert:{alert_id}:{event}:{channel.id}"
    return PendingDelivery(key, channel.id, event, at, alert_id)


def _next_delivery_time(
    connection: sa.Connection, channel: Channel, rule: str, now: datetime, policy: DeliveryPolicy
) -> datetime:
    """Return when an alert may be sent: with others of its rule, not too soon after the last."""
    if channel.batch_size == 1:
        return now  # machines get every alert by itself, at once
    mine = {"channel": channel.id, "rule": rule}
    waiting = connection.execute(_waiting(now), mine).one()
    if waiting.available_at is not None:
        return waiting.available_at  # type: ignore[no-any-return]
    recently = {"since": now - policy.rate}
    last = now if waiting.pending else connection.execute(_LAST_DELIVERED, mine | recently).scalar()
    return max(now + policy.settle, now if last is None else last + policy.rate)


def _notification(row: AnyRow) -> Notification:
    snapshot = None
    if row.alert_id is not None:
        snapshot = AlertSnapshot(row.alert_id, **{name: getattr(row, name) for name in _SNAPSHOT})
    return Notification(row.id, row.event, row.attempt, row.created_at, snapshot, row.payload)


_OWED = literal_state(_d.status, DeliveryStatus.OWED)
_UNCLAIMED = _d.token.is_(None)
_OPENED_BY_RULE = [
    _a.id == _d.alert_id,
    _d.channel == sa.bindparam("channel"),
    _d.event == OPENED,
    _a.rule == sa.bindparam("rule"),
]
_LAST_DELIVERED = sa.select(sa.func.max(_d.ended_at, type_=_d.ended_at.type)).where(
    *_OPENED_BY_RULE,
    _d.status == DeliveryStatus.DELIVERED,
    _d.ended_at > sa.bindparam("since", type_=_d.ended_at.type),
)
_CLAIMED = (
    sa.select(
        *(_d[name] for name in ("id", "event", "attempt", "created_at", "alert_id", "payload")),
        *(_a[name] for name in _SNAPSHOT),
    )
    .select_from(alert_delivery.outerjoin(alert, _a.id == _d.alert_id))
    .where(_d.token == sa.bindparam("token"))
    .order_by(_d.id)
)


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that no sender holds a delivery."""
    return sa.or_(_UNCLAIMED, _d.leased_until <= now)


def _waiting(now: datetime) -> sa.Select[Any, int]:
    """Select when the next message of a rule is due, and how many alerts wait or are being sent."""
    # Muted alerts don't count: they wait for the end of the mute.
    free = sa.case((_is_free(now), _d.available_at))
    return sa.select(
        sa.func.min(free, type_=_d.available_at.type).label("available_at"),
        sa.func.count().label("pending"),
    ).where(*_OPENED_BY_RULE, _OWED, ~is_muted(now))


def _due(now: datetime) -> list[Any]:
    """Return the conditions for sending a delivery now."""
    first = alert_delivery.alias("first")
    # Nobody is told that an alert is over before its opening.
    waits = sa.exists().where(
        _d.event == RESOLVED,
        first.c.alert_id == _d.alert_id,
        first.c.channel == _d.channel,
        first.c.event == OPENED,
        first.c.status == DeliveryStatus.OWED,
        sa.or_(first.c.available_at > now, first.c.leased_until > now),
    )
    return [_OWED, _d.available_at <= now, _is_free(now), ~waits, ~muted_alert(now)]


def _overtakes_a_start(channel: Channel) -> sa.ColumnElement[bool]:
    """Return the condition that a ping of an end would overtake an earlier start."""
    # Another sender may just have locked that start.
    first = alert_delivery.alias("first")
    unsent = sa.exists().where(
        first.c.channel == channel.id,
        literal_state(first.c.status, DeliveryStatus.OWED),
        first.c.event == STARTED,
        first.c.id < _d.id,
    )
    return sa.and_(_d.event.in_((SUCCEEDED, FAILED)), unsent)


def _not_enqueued(event: str) -> sa.Select[Any]:
    """Select alerts whose opening, or resolution, is not enqueued for a channel."""
    mine = [_d.alert_id == _a.id, _d.channel == sa.bindparam("channel")]
    enqueued = sa.exists().where(*mine, _d.event == event).correlate(alert)
    recently = _a.resolved_at > sa.bindparam("recently", type_=_a.resolved_at.type)
    if event == OPENED:
        wanted = sa.or_(_a.resolved_at.is_(None), recently)
    else:
        known = sa.exists().where(*mine, _d.event == OPENED)
        was_sent = known.where(_d.status.in_((DeliveryStatus.OWED, DeliveryStatus.DELIVERED)))
        wanted = sa.and_(recently, _a.resolution.is_not(None), was_sent.correlate(alert))
    found = sa.select(_a.id, _a.rule, _a.key).where(wanted, ~enqueued)
    return found.order_by(_a.id).limit(_MAX_PENDING)


_NOT_ENQUEUED = {event: _not_enqueued(event) for event in (OPENED, RESOLVED)}
