"""Muted alerts: nothing of them is sent for a while."""

from datetime import datetime

import sqlalchemy as sa

from tick.define.alerts import Deadline, Held, LateStart, Missed, NoSuccess
from tick.engine.ledger.windows import windows_touching
from tick.engine.schedules.labels import has_label
from tick.policy.windows import Phase, of_all
from tick.store.tables import alert, alert_mute, job_schedule

_a, _m, _s = alert.c, alert_mute.c, job_schedule.c
_ABOUT_TIME = (Missed.NAME, Held.NAME, LateStart.NAME, NoSuccess.NAME, Deadline.NAME)


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


def quiet_in_windows(connection: sa.Connection, now: datetime) -> sa.ColumnElement[bool] | None:
    """Whether windows keep the alert in the query around it waiting; None without one that lasts.

    While nothing at all fires, every alert waits; in a window of some schedules, theirs about what
    did not come in time. What is still wrong when it ends is sent then.
    """
    windows = windows_touching(connection, now, now)
    lasting = [window for window in windows if window.phase(now) is Phase.LASTS]
    if not lasting:
        return None
    if of_all(lasting):
        return sa.true()
    scopes = [
        _s.id == window.schedule_id if window.label is None else has_label(window.label)
        for window in lasting
    ]
    its = sa.exists().where(_s.id == _a.schedule_id, sa.or_(*scopes)).correlate(alert)
    return sa.and_(_a.rule.in_(_ABOUT_TIME), its)
