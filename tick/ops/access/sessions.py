"""Sessions of the console, stored on the server, which can end each of them.

A browser holds 256 random bits; only their hash is stored, as with API tokens.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.ops.access.tokens import hash_secret
from tick.ops.access.users import User, as_user
from tick.store.database import Database
from tick.store.tables import user, user_session

MAX_AGENT = 200
# Open pages poll often: without this each poll would be a write.
NOTED_EVERY = timedelta(minutes=1)
_s, _u = user_session.c, user.c


@dataclass(frozen=True)
class SessionLimits:
    """The longest life of a session, in all and without use."""

    longest: timedelta
    idle: timedelta


@dataclass(frozen=True)
class Session:
    """A browser in which a user is signed in."""

    id: int
    created_at: datetime
    seen_at: datetime
    agent: str


def begin_session(
    database: Database, user: User, *, agent: str, now: datetime, limits: SessionLimits
) -> tuple[Session, str]:
    """Begin a session of the user; return it with its secret text, which is not stored."""
    text = secrets.token_urlsafe(32)
    values = {
        "token_hash": hash_secret(text),
        "user_id": user.id,
        "epoch": user.session_epoch,
        "created_at": now,
        "seen_at": now,
        "agent": agent[:MAX_AGENT],
    }
    over = sa.delete(user_session).where(_s.user_id == user.id, ~_lives(now, limits))
    with database.write.begin() as connection:
        connection.execute(over)
        made = sa.insert(user_session).values(values).returning(_s.id)
        number = connection.execute(made).scalar_one()
    return Session(number, now, now, agent[:MAX_AGENT]), text


def find_session(
    connection: sa.Connection, text: str, *, now: datetime, limits: SessionLimits
) -> tuple[Session, User] | None:
    """Return the session of the secret text with its user; None if it has ended."""
    query = _SESSIONS.add_columns(*_PERSON).join(user, _OF_THIS_EPOCH)
    query = query.where(_s.token_hash == hash_secret(text), _lives(now, limits), _u.active)
    row = connection.execute(query).one_or_none()
    return None if row is None else (_as_session(row), as_user(row, row.user_id))


def list_sessions(
    connection: sa.Connection, user_id: int, *, now: datetime, limits: SessionLimits
) -> Sequence[Session]:
    """List the sessions of a user that last, the latest first, at most 100."""
    query = _SESSIONS.join(user, _OF_THIS_EPOCH)
    query = query.where(_s.user_id == user_id, _lives(now, limits))
    return [_as_session(row) for row in connection.execute(query.order_by(_s.seen_at.desc()))]


def note_use(database: Database, session: Session, now: datetime) -> None:
    """Record that the session was used."""
    if now - session.seen_at >= NOTED_EVERY:
        seen = sa.update(user_session).where(_s.id == session.id, _s.seen_at < now)
        with database.write.begin() as connection:
            connection.execute(seen.values(seen_at=now))


def end_session(database: Database, user_id: int, session_id: int) -> bool:
    """End a session of the user; False if it has ended already, or belongs to another user."""
    gone = sa.delete(user_session).where(_s.id == session_id, _s.user_id == user_id)
    with database.write.begin() as connection:
        return connection.execute(gone).rowcount == 1


def end_other_sessions(database: Database, user_id: int, kept: int) -> int:
    """End all sessions of a user but one; return how many ended."""
    gone = sa.delete(user_session).where(_s.user_id == user_id, _s.id != kept)
    with database.write.begin() as connection:
        return connection.execute(gone).rowcount


_SESSIONS = sa.select(_s.id, _s.created_at, _s.seen_at, _s.agent).limit(100)
_PERSON = (_s.user_id, _u.name, _u.role, _u.active, _u.session_epoch, _u.last_login_at)
# A new password, role or switch raises the user's epoch, and so ends what began before it.
_OF_THIS_EPOCH = sa.and_(_u.id == _s.user_id, _u.session_epoch == _s.epoch)


def _as_session(row: sa.Row[*tuple[Any, ...]]) -> Session:
    return Session(row.id, row.created_at, row.seen_at, row.agent)


def _lives(now: datetime, limits: SessionLimits) -> sa.ColumnElement[bool]:
    return sa.and_(_s.created_at > now - limits.longest, _s.seen_at > now - limits.idle)
