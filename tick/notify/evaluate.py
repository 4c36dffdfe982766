"""Evaluates the alert rules: opens and resolves alerts, and enqueues their deliveries.

Workers, loops, consoles and processes that tick all do this. Evaluations that write take turns, and
each reads its inputs anew, so several that notice at one moment write one alert. No event is lost
in between: an occurrence that comes to its outcome stays unjudged until an evaluation marks it, in
the transaction that writes its alerts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.engine.schedules.mutes import all_muted
from tick.notify import events, outbox, rules
from tick.notify.channels import Channel
from tick.notify.inputs import AlertInputs, read_inputs
from tick.notify.outbox import DeliveryPolicy, PendingDelivery
from tick.notify.rules import DetectedAlert, Resolution
from tick.store.advisory_locks import AdvisoryLock, try_acquire
from tick.store.database import Database
from tick.store.sql import insert_ignore
from tick.store.tables import alert, alert_delivery, occurrence

_a, _d, _o = alert.c, alert_delivery.c, occurrence.c


@dataclass(frozen=True)
class Changes:
    """Holds what an evaluation has to write."""

    inputs: AlertInputs
    found: tuple[DetectedAlert, ...]
    ended: tuple[Resolution, ...]
    pending: tuple[PendingDelivery, ...]

    def __bool__(self) -> bool:
        return bool(self.inputs.ended or self.found or self.ended or self.pending)


def evaluate(
    database: Database, channels: Sequence[Channel], now: datetime, policy: DeliveryPolicy
) -> int:
    """Evaluate the rules once, and return how many alerts were opened.

    Without changes it only reads. With changes it waits for other writers on SQLite; on PostgreSQL
    it leaves them to another evaluation that is at it.
    """
    with database.read.connect() as connection:
        if not _find_changes(connection, channels, now, policy):
            return 0
    with database.write.begin() as connection:
        if not try_acquire(connection, AdvisoryLock.ALERTS):
            return 0
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
    pending = [
        *outbox.find_pending(connection, channels, now, policy),
        *events.find_started(connection, inputs),
    ]
    return Changes(
        inputs,
        tuple(_unknown(connection, inputs, found)),
        tuple(rules.find_ended(inputs, found)),
        tuple(pending),
    )


def _unknown(
    connection: sa.Connection, inputs: AlertInputs, found: Iterable[DetectedAlert]
) -> Iterable[DetectedAlert]:
    """Return alerts that are new. An event is never new again, even after it was closed."""
    is_open = {row.key for row in inputs.open}
    new = {detected.key: detected for detected in found if detected.key not in is_open}
    events_ = [key for key, detected in new.items() if detected.expires_at is not None]
    known = sa.select(_a.key).where(_a.key.in_(events_))
    old = set(connection.execute(known).scalars()) if events_ else set()
    return [detected for key, detected in new.items() if key not in old]


def _write(connection: sa.Connection, channels: Sequence[Channel], changes: Changes) -> int:
    now = changes.inputs.now
    judged = [context.row.id for context in changes.inputs.ended]
    if judged:
        connection.execute(
            sa.update(occurrence).where(_o.id.in_(judged), ~_o.judged).values(judged=True)
        )
    outbox.enqueue_deliveries(connection, changes.pending, now)
    outbox.enqueue_deliveries(
        connection, events.find_ended(connection, channels, changes.inputs), now
    )
    events.drop_starts(connection, changes.inputs)
    for resolution in changes.ended:
        _resolve(connection, resolution, now)
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


def _resolve(connection: sa.Connection, resolution: Resolution, now: datetime) -> None:
    connection.execute(
        sa.update(alert)
        .where(_a.id == resolution.alert_id, _a.resolved_at.is_(None))
        .values(resolved_at=now, resolution=resolution.text)
    )
    # While an alert is muted, neither its beginning nor its end is sent.
    quiet = sa.true() if all_muted(connection, now) else outbox.muted_alert(now)
    untried = _d.attempt == 0
    outbox.drop(connection, now, _d.alert_id == resolution.alert_id, untried, quiet)
