"""Evaluates the alert rules: opens and resolves alerts, and enqueues their deliveries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.engine.schedules.mutes import quiet_in_windows
from tick.notify import events, outbox, rules
from tick.notify.channels import Channel
from tick.notify.inputs import AlertInputs, read_inputs
from tick.notify.outbox import DeliveryPolicy, PendingDelivery
from tick.notify.rules import DetectedAlert
from tick.store.advisory_locks import AdvisoryLock, try_acquire
from tick.store.database import Database
from tick.store.sql import insert_ignore
from tick.store.tables import alert, alert_delivery, occurrence

_a, _d, _o = alert.c, alert_delivery.c, occurrence.c


@dataclass(frozen=True)
class Changes:
    """Holds what an evaluation has to write."""

    inputs: AlertInputs
    found: list[DetectedAlert]
    ended: dict[int, str | None]
    pending: list[PendingDelivery]

    def __bool__(self) -> bool:
        return bool(self.inputs.ended or self.found or self.ended or self.pending)


def evaluate(
    database: Database, channels: Sequence[Channel], now: datetime, policy: DeliveryPolicy
) -> int:
    """Evaluate the rules once, and return how many alerts were opened."""
    # Most evaluations end here: on SQLite a transaction that writes would keep ticks waiting.
    with database.read.connect() as connection:
        if not _find_changes(connection, channels, now, policy):
            return 0
    with database.write.begin() as connection:
        # Workers, loops and consoles all evaluate, often at one moment: on PostgreSQL one of them
        # does the work, and on SQLite only one transaction writes anyway.
        if not try_acquire(connection, AdvisoryLock.ALERTS):
            return 0
        # Read anew: another evaluation may have written the same alerts since.
        opened = _write(connection, channels, _find_changes(connection, channels, now, policy))
        # Deliveries of the alerts that were opened or resolved just now.
        outbox.enqueue_deliveries(
            connection, outbox.find_pending(connection, channels, now, policy), now
        )
        return opened


def _find_changes(
    connection: sa.Connection, channels: Sequence[Channel], now: datetime, policy: DeliveryPolicy
) -> Changes:
    inputs = read_inputs(connection, now)
    found = rules.find(inputs)
    pending = outbox.find_pending(connection, channels, now, policy)
    pending += events.find_started(connection, inputs)
    new = _unknown(connection, inputs, found)
    return Changes(inputs, new, rules.find_ended(inputs, found), pending)


def _unknown(
    connection: sa.Connection, inputs: AlertInputs, found: Iterable[DetectedAlert]
) -> list[DetectedAlert]:
    """Return alerts that are new."""
    is_open = {row.key for row in inputs.open}
    new = {detected.key: detected for detected in found if detected.key not in is_open}
    events_ = [key for key, detected in new.items() if detected.expires_at is not None]
    # An event is never new again, even after its alert was closed.
    known = sa.select(_a.key).where(_a.key.in_(events_))
    old = set(connection.execute(known).scalars()) if events_ else set()
    return [detected for key, detected in new.items() if key not in old]


def _write(connection: sa.Connection, channels: Sequence[Channel], changes: Changes) -> int:
    now = changes.inputs.now
    # Marked in the transaction that writes their alerts: no end is lost or told twice.
    judged = [context.row.id for context in changes.inputs.ended]
    if judged:
        connection.execute(
            sa.update(occurrence).where(_o.id.in_(judged), ~_o.judged).values(judged=True)
        )
    outbox.enqueue_deliveries(connection, changes.pending, now)
    ends = events.find_ended(connection, channels, changes.inputs)
    outbox.enqueue_deliveries(connection, ends, now)
    events.drop_starts(connection, changes.inputs)
    for alert_id, text in changes.ended.items():
        _resolve(connection, alert_id, text, now)
    return open_alerts(connection, changes.found, now)


def open_alerts(connection: sa.Connection, found: Iterable[DetectedAlert], now: datetime) -> int:
    """Open alerts unless their keys are open already, and return how many were opened."""
    rows = [
        {name: value for name, value in vars(detected).items() if name != "since"}
        | {"at": detected.since or now}
        for detected in found
    ]
    insert = insert_ignore(connection.dialect.name, alert)
    return sum(connection.execute(insert.values(row)).rowcount for row in rows)


def _resolve(connection: sa.Connection, alert_id: int, text: str | None, now: datetime) -> None:
    connection.execute(
        sa.update(alert)
        .where(_a.id == alert_id, _a.resolved_at.is_(None))
        .values(resolved_at=now, resolution=text)
    )
    # While an alert is muted, neither its beginning nor its end is sent.
    quiet = outbox.muted_alert(now)
    if (in_windows := quiet_in_windows(connection, now)) is not None:
        quiet = sa.or_(quiet, sa.exists().where(_a.id == _d.alert_id, in_windows))
    outbox.drop(connection, now, _d.alert_id == alert_id, _d.attempt == 0, quiet)
