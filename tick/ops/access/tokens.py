"""API tokens: random, shown once, stored as a hash, expired by time or revoked.

A token is 256 random bits, so its SHA-256 needs neither salt nor stretching, and the time that a
look-up by hash takes reveals nothing about a token.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.errors import NotFound, Refused
from tick.ops.act import Change, action
from tick.states import Role, TokenScope
from tick.store.advisory_locks import AdvisoryLock
from tick.store.database import Database
from tick.store.tables import api_token

PREFIX = "tick_"
MAX_DAYS = 730
_MINUTE = timedelta(minutes=1)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z")
_t = api_token.c


@dataclass(frozen=True)
class Token:
    """A token as it is stored: without its text."""

    id: int
    name: str
    role: Role
    scope: TokenScope
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def author_name(self) -> str:
        """The actor in audit entries of what was done with the token."""
        return f"token:{self.name}"

    def state(self, now: datetime) -> str:
        """`usable`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "usable"


_TOKENS = sa.select(*(_t[name] for name in Token.__dataclass_fields__))


# The audit names a token by its name, so two usable ones must not share it.
@action("token.create", lock=AdvisoryLock.NAMES)
def create_token(
    change: Change, name: str, role: Role, *, days: int, scope: TokenScope = TokenScope.API
) -> tuple[Token, str]:
    """Create a token that works for `days`; return it with its text, which is not stored.

    Raises Refused for an invalid name, the name of a usable token, too many days, or an ADMIN's
    token for a scope that only reads.
    """
    if scope is not TokenScope.API and role is not Role.VIEWER:
        raise Refused(f"What {scope} opens can only be read: give the token the role VIEWER.")
    if not _NAME.match(name):
        raise Refused("A token's name has 1 to 60 letters, digits, dots, dashes and underscores.")
    if not 1 <= days <= MAX_DAYS:
        raise Refused(f"A token lives 1 to {MAX_DAYS} days; make a new one before it expires.")
    if taken := find_usable(change.connection, name, change.now):
        raise Refused(
            f"Token {taken.id} is called {name!r} already; choose another name, or revoke it."
        )
    text = PREFIX + secrets.token_urlsafe(32)
    expires_at = change.now + timedelta(days=days)
    shown = {"name": name, "role": role, "scope": scope}
    values = shown | {
        "token_hash": hash_secret(text),
        "created_by": change.author.name[:100],
        "created_at": change.now,
        "expires_at": expires_at,
    }
    created = sa.insert(api_token).values(values).returning(_t.id)
    token = _find(change.connection, change.connection.execute(created).scalar_one())
    change.record(subject=str(token.id), after=shown | {"expires_at": expires_at.isoformat()})
    return token, text


@action("token.revoke")
def revoke_token(change: Change, token_id: int) -> bool:
    """End a token at once; False when it was revoked already. Raises NotFound."""
    token = _find(change.connection, token_id)
    ended = sa.update(api_token).where(_t.id == token_id, _t.revoked_at.is_(None))
    if change.connection.execute(ended.values(revoked_at=change.now)).rowcount == 0:
        return False
    change.record(before={"name": token.name})
    return True


def list_tokens(connection: sa.Connection) -> Sequence[Token]:
    """The newest 500 tokens, newest first."""
    found = connection.execute(_TOKENS.order_by(_t.id.desc()).limit(500))
    return [_as_token(row) for row in found]


def find_usable(connection: sa.Connection, name: str, now: datetime) -> Token | None:
    """The one usable token of that name."""
    lives = sa.and_(_t.revoked_at.is_(None), sa.or_(_t.expires_at.is_(None), _t.expires_at > now))
    row = connection.execute(_TOKENS.where(_t.name == name, lives).limit(1)).one_or_none()
    return None if row is None else _as_token(row)


def authenticate(
    database: Database, offered: str, *, now: datetime, scope: TokenScope = TokenScope.API
) -> Token | None:
    """The usable token of that scope whose text was offered; notes its use once a minute."""
    wanted = _TOKENS.where(_t.token_hash == hash_secret(offered), _t.scope == scope)
    with database.read.connect() as connection:
        row = connection.execute(wanted).one_or_none()
    token = None if row is None else _as_token(row)
    if token is None or token.state(now) != "usable":
        return None
    _note_use(database, token, now)
    return token


def hash_secret(text: str) -> str:
    """Return the hash by which a random text is stored and found."""
    # Bytes that are no UTF-8 come as surrogates out of a header or a cookie.
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _as_token(row: sa.Row[*tuple[object, ...]]) -> Token:
    known = {name: row._mapping[name] for name in Token.__dataclass_fields__}
    known |= {"role": Role(known["role"]), "scope": TokenScope(known["scope"])}
    return Token(**known)


def _find(connection: sa.Connection, token_id: int) -> Token:
    row = connection.execute(_TOKENS.where(_t.id == token_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no token {token_id}; `tick token list` lists them.")
    return _as_token(row)


def _note_use(database: Database, token: Token, now: datetime) -> None:
    if token.last_used_at is not None and token.last_used_at > now - _MINUTE:
        return
    with database.write.begin() as connection:
        stale = sa.or_(_t.last_used_at.is_(None), _t.last_used_at <= now - _MINUTE)
        used = sa.update(api_token).where(_t.id == token.id, stale).values(last_used_at=now)
        connection.execute(used)
