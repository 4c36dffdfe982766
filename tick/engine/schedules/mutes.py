"""Muted alerts: nothing of them is sent for a while."""

from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger.windows import windows_touching
from tick.policy.windows import covering, of_all
from tick.store.tables import alert, alert_mute

_a, _m = alert.c, alert_mute.c


def is_muted(now: datetime) -> sa.ColumnElement[bool]:
    """Whether somebody has muted the alert that stands in the query around it."""
    mine = sa.exists().where(
        _m.ended_at.is_(None),
        _m.created_at <= now,
        _m.until > now,
        sa.or_(_m.schedule_id.is_(None), _m.schedule_id == _a.schedule_id),
        sa.or_(_m.rule.is_(None), _m.rule == _a.rule),
    )
    return mine.correlate(alert)


def all_muted(connection: sa.Connection, now: datetime) -> bool:
    """Whether the scheduler stands, for maintenance say: then every alert waits."""
    return covering(of_all(windows_touching(connection, now, now)), now) is not None
