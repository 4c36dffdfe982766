"""What is owed to the channels: written down once, claimed by one sender, sent until it is taken.

A sender claims under a token and a lease, so nothing goes out twice while it works; should it die
between sending and writing that down, the lease ends and another sends it again. A webhook's id is
the same then.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.define.alerts import UNDELIVERED
from tick.engine.schedules.mutes import all_muted, is_muted
from tick.notify.channels import Channel
from tick.notify.notifications import (
    FAILED,
    OPENED,
    RESOLVED,
    STARTED,
    SUCCEEDED,
    AlertText,
    Parcel,
)
from tick.policy.retry import Backoff, retry_delay
from tick.states import DeliveryStatus
from tick.store.sql import AnyRow, insert_ignore, literal_state
from tick.store.tables import alert, alert_attempt, alert_delivery

LEASE = timedelta(seconds=60)
"""Longer than any attempt takes."""
BACKOFF = Backoff(first_seconds=30.0, longest_seconds=1800.0)
GIVE_UP_AFTER = timedelta(hours=24)
TOLD_LATE = timedelta(hours=1)
"""An alert that ended longer ago is not told to a channel that is new."""
_MOST_OWED = 500
_a, _d = alert.c, alert_delivery.c


@dataclass(frozen=True)
class Pace:
    """How long an alert waits for others to become one message, and how often a rule may speak."""

    settle: timedelta
    rate: timedelta


@dataclass(frozen=True)
class Owed:
    """A delivery to be written down."""

    key: str
    channel: str
    event: str
    available_at: datetime
    alert_id: int | None = None
    payload: dict[str, Any] | None = None


@dataclass(frozen=True)
class Claimed:
    """Parcels that this sender may send, all together."""

    channel: str
    token: str
    parcels: tuple[Parcel, ...]


def find_owed(
    connection: sa.Connection, channels: Iterable[Channel], now: datetime, pace: Pace
) -> list[Owed]:
    """The alerts that these channels take and that are not written down for them yet."""
    found = []
    for channel in channels:
        values = {"channel": channel.id, "recently": now - TOLD_LATE}
        for row in connection.execute(_NOT_OWED[OPENED], values):
            if channel.takes(row.rule) and row.key != undelivered_key(channel.id):
                at = _slot(connection, channel, row.rule, now, pace)
                found.append(_of_alert(row.id, channel, OPENED, at))
        for row in connection.execute(_NOT_OWED[RESOLVED], values):
            found.append(_of_alert(row.id, channel, RESOLVED, now))
    return found


def write_owed(connection: sa.Connection, owed: Iterable[Owed], now: datetime) -> None:
    """Write deliveries down; one that is there already is left alone."""
    rows = [vars(one) | {"created_at": now} for one in owed]
    if rows:
        connection.execute(insert_ignore(connection.dialect.name, alert_delivery), rows)


def drop(connection: sa.Connection, now: datetime, *which: sa.ColumnElement[bool]) -> None:
    """Forget deliveries that nobody is sending: what they tell of is over."""
    connection.execute(
        sa.update(alert_delivery)
        .where(_OWED, _UNCLAIMED, *which)
        .values(status=DeliveryStatus.DROPPED, ended_at=now)
    )


def due_channels(connection: sa.Connection, now: datetime) -> list[str]:
    """The ids of the channels that have something to send, who waits the longest first."""
    due = sa.select(_d.channel).where(*_due(now)).group_by(_d.channel)
    by_age = due.order_by(sa.func.min(_d.available_at), _d.channel)
    return list(connection.execute(by_age).scalars())


def claim(connection: sa.Connection, channel: Channel, now: datetime) -> Claimed | None:
    """The next parcels of a channel, the oldest first; None when nothing is due."""
    due = (
        sa.select(_d.id)
        .where(_d.channel == channel.id, *_due(now), ~_overtakes_a_start(channel))
        .order_by(_d.id)
        .limit(channel.together)
        .with_for_update(skip_locked=True)
    )
    if all_muted(connection, now):
        due = due.where(_d.alert_id.is_(None))
    ids = connection.execute(due).scalars().all()
    token = secrets.token_hex(8)
    taken = connection.execute(
        sa.update(alert_delivery)
        .where(_d.id.in_(ids), _OWED, _is_free(now))
        .values(token=token, leased_until=now + LEASE, attempt=_d.attempt + 1)
    ).rowcount
    if not taken:
        return None
    rows = connection.execute(_CLAIMED, {"token": token}).all()
    return Claimed(channel.id, token, tuple(_parcel(row) for row in rows))


def record(
    connection: sa.Connection,
    claimed: Claimed,
    now: datetime,
    took_seconds: float,
    error: str | None,
) -> list[Parcel]:
    """Write down how an attempt went; the parcels that are given up by it.

    After a failure everything that waits for this channel waits until it is tried again.
    """
    connection.execute(
        sa.insert(alert_attempt),
        [
            {"delivery_id": parcel.id, "at": now, "took_seconds": took_seconds, "error": error}
            for parcel in claimed.parcels
        ],
    )
    mine: list[Any] = [_d.token == claimed.token, _OWED]
    if error is None:
        taken = {"status": DeliveryStatus.DELIVERED, "ended_at": now, "error": None}
        connection.execute(sa.update(alert_delivery).where(*mine).values(taken))
        return []
    given_up = [p for p in claimed.parcels if now - p.created_at >= GIVE_UP_AFTER]
    again_at = now + timedelta(seconds=_pause(claimed))
    connection.execute(
        sa.update(alert_delivery)
        .where(*mine, _d.id.in_([parcel.id for parcel in given_up]))
        .values(status=DeliveryStatus.GAVE_UP, ended_at=now, error=error)
    )
    failed = {"token": None, "leased_until": None, "error": error, "available_at": again_at}
    connection.execute(sa.update(alert_delivery).where(*mine).values(failed))
    connection.execute(
        sa.update(alert_delivery)
        .where(_d.channel == claimed.channel, _OWED, _d.available_at < again_at, _UNCLAIMED)
        .values(available_at=again_at)
    )
    return given_up


def muted_alert(now: datetime) -> sa.ColumnElement[bool]:
    """Whether somebody has muted the alert that a delivery is of."""
    return sa.exists().where(_a.id == _d.alert_id, is_muted(now))


def undelivered_key(channel_id: str) -> str:
    """The key of the alert that a channel can't be reached; it is told to the others."""
    return f"{UNDELIVERED}:{channel_id}"


def _of_alert(alert_id: int, channel: Channel, event: str, at: datetime) -> Owed:
    return Owed(f"alert:{alert_id}:{event}:{channel.id}", channel.id, event, at, alert_id)


def _slot(
    connection: sa.Connection, channel: Channel, rule: str, now: datetime, pace: Pace
) -> datetime:
    """When an alert of this rule may go out: with its like, and not too soon after the last."""
    if channel.together == 1:
        return now  # a machine counts for itself
    mine = {"channel": channel.id, "rule": rule}
    waiting = connection.execute(_waiting(now), mine).one()
    if waiting.available_at is not None:
        at: datetime = waiting.available_at
        return at
    recently = {"since": now - pace.rate}
    last = now if waiting.owed else connection.execute(_LAST_TOLD, mine | recently).scalar()
    return max(now + pace.settle, now if last is None else last + pace.rate)


def _pause(claimed: Claimed) -> float:
    first = claimed.parcels[0]
    return retry_delay(BACKOFF, run_id=first.id, attempt=max(p.attempt for p in claimed.parcels))


def _parcel(row: AnyRow) -> Parcel:
    told = None
    if row.alert_id is not None:
        told = AlertText(
            id=row.alert_id,
            rule=row.rule,
            title=row.title,
            message=row.message,
            at=row.at,
            schedule_id=row.schedule_id,
            occurrence_id=row.occurrence_id,
            resolved_at=row.resolved_at,
            resolution=row.resolution,
        )
    return Parcel(row.id, row.event, row.attempt, row.created_at, told, row.payload)


_OWED = literal_state(_d.status, DeliveryStatus.OWED)
_UNCLAIMED = _d.token.is_(None)
_OPENED_BY_RULE = [
    _a.id == _d.alert_id,
    _d.channel == sa.bindparam("channel"),
    _d.event == OPENED,
    _a.rule == sa.bindparam("rule"),
]
_LAST_TOLD = sa.select(sa.func.max(_d.ended_at, type_=_d.ended_at.type)).where(
    *_OPENED_BY_RULE,
    _d.status == DeliveryStatus.DELIVERED,
    _d.ended_at > sa.bindparam("since", type_=_d.ended_at.type),
)
_CLAIMED = (
    sa.select(
        *(_d[name] for name in ("id", "event", "attempt", "created_at", "alert_id", "payload")),
        *(_a[name] for name in ("rule", "title", "message", "at", "schedule_id")),
        *(_a[name] for name in ("occurrence_id", "resolved_at", "resolution")),
    )
    .select_from(alert_delivery.outerjoin(alert, _a.id == _d.alert_id))
    .where(_d.token == sa.bindparam("token"))
    .order_by(_d.id)
)


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    """Nobody has it, or whoever had it is gone."""
    return sa.or_(_UNCLAIMED, _d.leased_until <= now)


def _waiting(now: datetime) -> sa.Select[Any, int]:
    """When the next message of a rule goes out, and how many alerts wait or are being sent.

    What is muted waits for that to end, and says nothing on when the others may go.
    """
    free = sa.case((_is_free(now), _d.available_at))
    return sa.select(
        sa.func.min(free, type_=_d.available_at.type).label("available_at"),
        sa.func.count().label("owed"),
    ).where(*_OPENED_BY_RULE, _OWED, ~is_muted(now))


def _due(now: datetime) -> list[Any]:
    """Owed, its time has come, nobody has it, not muted, and not overtaking what it follows."""
    first = alert_delivery.alias("first")
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
    """It tells of an end before an earlier start is told, which somebody may just have locked."""
    first = alert_delivery.alias("first")
    is_told = sa.exists().where(
        first.c.channel == channel.id,
        literal_state(first.c.status, DeliveryStatus.OWED),
        first.c.event == STARTED,
        first.c.id < _d.id,
    )
    return sa.and_(_d.event.in_((SUCCEEDED, FAILED)), is_told)


def _not_owed(event: str) -> sa.Select[Any]:
    """Alerts of which a channel was not told, or not told that they are resolved."""
    mine = [_d.alert_id == _a.id, _d.channel == sa.bindparam("channel")]
    told = sa.exists().where(*mine, _d.event == event).correlate(alert)
    recently = _a.resolved_at > sa.bindparam("recently", type_=_a.resolved_at.type)
    if event == OPENED:
        wanted = sa.or_(_a.resolved_at.is_(None), recently)
    else:
        known = sa.exists().where(*mine, _d.event == OPENED)
        was_told = known.where(_d.status.in_((DeliveryStatus.OWED, DeliveryStatus.DELIVERED)))
        wanted = sa.and_(recently, _a.resolution.is_not(None), was_told.correlate(alert))
    return sa.select(_a.id, _a.rule, _a.key).where(wanted, ~told).order_by(_a.id).limit(_MOST_OWED)


_NOT_OWED = {event: _not_owed(event) for event in (OPENED, RESOLVED)}
