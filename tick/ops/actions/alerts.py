"""Mutes alerts for a while, and closes those that have no end of their own."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.define.alerts import NAMES, Failed
from tick.errors import NotFound, Refused
from tick.ops.act import Change, action
from tick.ops.queries.revisions import revision_of
from tick.ops.queries.schedules import no_schedule
from tick.states import DeliveryStatus
from tick.store.sql import AnyRow
from tick.store.tables import alert, alert_delivery, alert_mute, job_schedule
from tick.utc import utc

_a, _d, _m, _s = alert.c, alert_delivery.c, alert_mute.c, job_schedule.c
LONGEST_MUTE = timedelta(days=30)  # a mute that is forgotten must not hide trouble for good


@action("alert.mute", subject="mute")
def mute(
    change: Change, *, schedule_id: str | None = None, rule: str | None = None, until: datetime
) -> int:
    """Send no alert of a schedule, of a rule, of both or of anything until an instant.

    Returns the mute's id. What is still wrong then is sent then. Raises NotFound, Refused.
    """
    return mute_one(change, schedule_id=schedule_id, rule=rule, until=until)


def mute_one(change: Change, *, schedule_id: str | None, rule: str | None, until: datetime) -> int:
    """Make a mute within an action; see `mute`."""
    reason = change.act.required_reason(
        "A mute needs a reason: say why, for whoever wonders at the silence."
    )
    now, until = utc(change.now, "now"), utc(until, "the mute's end")
    if not now < until <= now + LONGEST_MUTE:
        raise Refused("A mute ends at an instant to come, within 30 days.")
    if rule is not None and rule not in NAMES:
        raise NotFound(f"No rule is called {rule!r}; there are {', '.join(NAMES)}.")
    known = sa.select(_s.id).where(_s.id == schedule_id)
    if schedule_id is not None and change.connection.execute(known).first() is None:
        raise no_schedule(schedule_id)
    values = {
        "schedule_id": schedule_id,
        "rule": rule,
        "reason": reason,
        "created_by": change.author.name,
        "created_at": now,
        "until": until,
    }
    created = sa.insert(alert_mute).values(values).returning(_m.id)
    mute_id = int(change.connection.execute(created).scalar_one())
    about = {"mute": mute_id, "schedule_id": schedule_id, "rule": rule}
    change.record(
        subject=str(mute_id),
        after=about | {"until": until.isoformat()},
        reason=reason,
    )
    return mute_id


def _check_mute(change: Change) -> None:
    row = _lock_mute(change.connection, int(change.subject))
    by = f"{row.ended_by} ended it" if row.ended_by else "nobody ended it"
    present = revision_of(int(change.subject), row.ended_at)
    change.expect(present, f"Mute {change.subject} is not as you read it: {by}.")


@action("alert.unmute", check=_check_mute)
def unmute(change: Change, mute_id: int) -> bool:
    """End a mute before its time; False when it is over. Raises NotFound, Stale."""
    return unmute_one(change, mute_id)


def unmute_one(change: Change, mute_id: int) -> bool:
    """End a mute within an action; see `unmute`."""
    _lock_mute(change.connection, mute_id)
    ended = change.connection.execute(
        sa.update(alert_mute)
        .where(_m.id == mute_id, _m.ended_at.is_(None), _m.until > change.now)
        .values(ended_at=change.now, ended_by=change.author.name)
    ).rowcount
    if ended:
        change.record()
    return bool(ended)


def _lock_mute(connection: sa.Connection, mute_id: int) -> AnyRow:
    known = sa.select(_m.ended_at, _m.ended_by).where(_m.id == mute_id).with_for_update()
    if (row := connection.execute(known).first()) is None:
        raise NotFound(f"There is no mute {mute_id}; `tick alerts mutes` lists them.")
    return row


@action("alert.close")
def close(change: Change, alert_id: int) -> bool:
    """Call an alert settled; False when it was resolved. Nothing more of it is sent.

    Raises NotFound, and Refused for one that ends by itself with what it is about.
    """
    row = change.connection.execute(sa.select(alert).where(_a.id == alert_id)).first()
    if row is None:
        raise NotFound(f"There is no alert {alert_id}; `tick alerts list` lists them.")
    if row.expires_at is None and row.rule != Failed.NAME:
        raise Refused(
            "This alert ends by itself, as soon as what it is about does. Mute it until then."
        )
    closed = change.connection.execute(
        sa.update(alert)
        .where(_a.id == alert_id, _a.resolved_at.is_(None))
        .values(resolved_at=change.now, closed_by=change.author.name)
    ).rowcount
    if closed:
        # A message with a token is in a sender's hands by now, and comes to its own end.
        change.connection.execute(
            sa.update(alert_delivery)
            .where(_d.alert_id == alert_id, _d.status == DeliveryStatus.OWED, _d.token.is_(None))
            .values(status=DeliveryStatus.DROPPED, ended_at=change.now)
        )
        change.record(before={"title": row.title})
    return bool(closed)


@action("alert.test", subject="channels")
def note_test(change: Change) -> None:
    """Record that somebody had a test message sent."""
    change.record()
