"""What people do about alerts: mute them for a while, and close what has no end of its own."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.define.alerts import NAMES, Failed
from tick.engine.ledger import audit
from tick.engine.ledger.audit import Author
from tick.errors import NotFound, Refused
from tick.ops.queries.revisions import expect_revision, revision_of
from tick.states import DeliveryStatus
from tick.store.database import Database
from tick.store.tables import alert, alert_delivery, alert_mute, job_schedule
from tick.utc import utc

_a, _d, _m, _s = alert.c, alert_delivery.c, alert_mute.c, job_schedule.c
LONGEST_MUTE = timedelta(days=30)


def mute(
    database: Database,
    *,
    schedule_id: str | None = None,
    rule: str | None = None,
    until: datetime,
    reason: str,
    now: datetime,
    author: Author,
) -> int:
    """Send no alert of a schedule, of a rule, of both or of anything until an instant; its id.

    What is still wrong then is told then. Raises NotFound, Refused.
    """
    if not reason.strip():
        raise Refused("A mute needs a reason: say why, for whoever wonders at the silence.")
    now, until = utc(now, "now"), utc(until, "the mute's end")
    if not now < until <= now + LONGEST_MUTE:
        raise Refused("A mute ends at an instant to come, within 30 days.")
    if rule is not None and rule not in NAMES:
        raise NotFound(f"No rule is called {rule!r}; there are {', '.join(NAMES)}.")
    with database.write.begin() as connection:
        known = sa.select(_s.id).where(_s.id == schedule_id)
        if schedule_id is not None and connection.execute(known).first() is None:
            raise NotFound(
                f"No schedule is called {schedule_id!r}; `tick schedules` lists those there are."
            )
        values = {
            "schedule_id": schedule_id,
            "rule": rule,
            "reason": reason.strip(),
            "created_by": author.name,
            "created_at": now,
            "until": until,
        }
        mute_id = int(
            connection.execute(sa.insert(alert_mute).values(values).returning(_m.id)).scalar_one()
        )
        audit.record(
            connection,
            at=now,
            author=author,
            action="alert.mute",
            subject=str(mute_id),
            after={"schedule_id": schedule_id, "rule": rule, "until": until.isoformat()},
            reason=reason.strip(),
        )
    return mute_id


def unmute(
    database: Database,
    mute_id: int,
    *,
    now: datetime,
    author: Author,
    expected: str | None = None,
) -> bool:
    """End a mute before its time; False when it is over. Raises NotFound, Stale.

    `expected` is the revision that was read.
    """
    known = sa.select(_m.ended_at, _m.ended_by).where(_m.id == mute_id).with_for_update()
    with database.write.begin() as connection:
        row = connection.execute(known).first()
        if row is None:
            raise NotFound(f"There is no mute {mute_id}; `tick alerts mutes` lists them.")
        by = f"{row.ended_by} ended it" if row.ended_by else "nobody ended it"
        said = f"Mute {mute_id} is not as you read it: {by}."
        expect_revision(expected, revision_of(mute_id, row.ended_at), said)
        ended = connection.execute(
            sa.update(alert_mute)
            .where(_m.id == mute_id, _m.ended_at.is_(None), _m.until > now)
            .values(ended_at=now, ended_by=author.name)
        ).rowcount
        if ended:
            audit.record(
                connection, at=now, author=author, action="alert.unmute", subject=str(mute_id)
            )
    return bool(ended)


def close(database: Database, alert_id: int, *, now: datetime, author: Author) -> bool:
    """Call an alert settled; False when it was resolved. Nothing more of it is sent.

    Raises NotFound, and Refused for one that ends by itself with what it is about.
    """
    with database.write.begin() as connection:
        row = connection.execute(sa.select(alert).where(_a.id == alert_id)).first()
        if row is None:
            raise NotFound(f"There is no alert {alert_id}; `tick alerts list` lists them.")
        if row.expires_at is None and row.rule != Failed.NAME:
            raise Refused(
                "This alert ends by itself, as soon as what it is about does. Mute it until then."
            )
        closed = connection.execute(
            sa.update(alert)
            .where(_a.id == alert_id, _a.resolved_at.is_(None))
            .values(resolved_at=now, closed_by=author.name)
        ).rowcount
        if closed:
            connection.execute(
                sa.update(alert_delivery)
                .where(
                    _d.alert_id == alert_id, _d.status == DeliveryStatus.OWED, _d.token.is_(None)
                )
                .values(status=DeliveryStatus.DROPPED, ended_at=now)
            )
            audit.record(
                connection,
                at=now,
                author=author,
                action="alert.close",
                subject=str(alert_id),
                before={"title": row.title},
            )
    return bool(closed)


def note_test(database: Database, *, now: datetime, author: Author) -> None:
    """Write down that somebody had a test message sent."""
    with database.write.begin() as connection:
        audit.record(connection, at=now, author=author, action="alert.test", subject="channels")
