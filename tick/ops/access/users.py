"""Who may use the console: users with a role and a password, and the throttled login.

Passwords are kept as argon2id hashes. A login that fails says the same, after the same work,
whether the name, the password or the pace was wrong.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tick.db import Database
from tick.engine.audit import Author, record
from tick.errors import NotFound, Refused
from tick.models import user
from tick.ops.access.pace import spend
from tick.states import Role

MIN_PASSWORD = 12
MAX_PASSWORD = 256
MAX_NAME = 100
FREE_ATTEMPTS = 5
# What everybody thinks of first here.
CONTEXT_WORDS = ("job", "schedule", "scheduler", "manager", "tick", "console", "admin", "viewer")
_MOST_JUDGED, _GOOD_ENOUGH = 72, 4
LONGEST_DELAY = timedelta(minutes=1)

_u = user.c
# The parameters that OWASP's password storage cheat sheet names first for argon2id.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True)
class User:
    """A person who may sign in. A session made under an older `session_epoch` has ended."""

    id: int
    name: str
    role: Role
    active: bool
    session_epoch: int
    last_login_at: datetime | None


def create_user(
    database: Database, name: str, password: str, role: Role, *, now: datetime, author: Author
) -> int:
    """Add a user; its id. Raises Refused for a taken name or a weak password."""
    name = _checked_name(name)
    password_hash = _hash(password, name)
    with database.write.begin() as connection:
        taken = sa.select(_u.id).where(sa.func.lower(_u.name) == name.lower())
        if connection.execute(taken).first():
            raise Refused(f"There is a user {name!r} already; choose another name.")
        values = {"name": name, "password_hash": password_hash, "role": role, "created_at": now}
        created = connection.execute(sa.insert(user).values(values).returning(_u.id)).scalar_one()
        _record(connection, now, author, "user.create", name, after={"role": role})
    return int(created)


def make_first_admin(database: Database, name: str, *, now: datetime, author: Author) -> str | None:
    """An admin with a random password, which it returns; None when there is a user already."""
    with database.read.connect() as connection:
        if connection.execute(sa.select(_u.id).limit(1)).first():
            return None
    password = secrets.token_urlsafe(18)
    create_user(database, name, password, Role.ADMIN, now=now, author=author)
    return password


def set_password(
    database: Database, name: str, password: str, *, now: datetime, author: Author
) -> None:
    """Change a password and end the user's sessions. Raises NotFound, Refused."""
    changes = {"password_hash": _hash(password, name), "failed_logins": 0, "login_allowed_at": None}
    _change(database, name, changes, "user.password", {}, now, author)


def change_own_password(
    database: Database, name: str, present: str, new: str, *, now: datetime, author: Author
) -> User:
    """Change a password by the one that it takes the place of; all sessions end.

    Raises Refused when the present one is wrong, or was tried too often, or the new one is weak.
    """
    if log_in(database, name, present, now=now) is None:
        raise Refused(
            "The present password is wrong, or was tried too often. Wait, then try again."
        )
    set_password(database, name, new, now=now, author=author)
    with database.read.connect() as connection:
        return _as_user(connection.execute(_USERS.where(_u.name == name)).one())


def end_sessions(database: Database, name: str, *, now: datetime, author: Author) -> None:
    """Sign somebody out everywhere. Raises NotFound."""
    _change(database, name, {}, "user.sign-out", {}, now, author)


def has_password(connection: sa.Connection, user_id: int) -> bool:
    """Whether the account signs in by a password, or else by an identity provider."""
    kept = sa.select(_u.password_hash).where(_u.id == user_id)
    return bool(connection.execute(kept).scalar())


def set_role(database: Database, name: str, role: Role, *, now: datetime, author: Author) -> None:
    """Change a role and end the user's sessions. Raises NotFound."""
    _change(database, name, {"role": role}, "user.role", {"role": role}, now, author)


def set_active(
    database: Database, name: str, active: bool, *, now: datetime, author: Author
) -> None:
    """Let a user sign in, or no longer; ends the user's sessions. Raises NotFound."""
    _change(database, name, {"active": active}, "user.active", {"active": active}, now, author)


def find_user(connection: sa.Connection, user_id: int) -> User | None:
    """The user of that id who may sign in."""
    row = connection.execute(_USERS.where(_u.id == user_id, _u.active)).one_or_none()
    return None if row is None else _as_user(row)


def list_users(connection: sa.Connection) -> Sequence[User]:
    """The users by name, at most 500."""
    return [_as_user(row) for row in connection.execute(_USERS.order_by(_u.name).limit(500))]


def log_in(database: Database, name: str, password: str, *, now: datetime) -> User | None:
    """The user, if name and password are right and the account's pace allows the attempt.

    An attempt is charged to the account before its password is read, by one guarded UPDATE, so
    that parallel guesses can't slip through; a right password clears the charge.
    """
    account = _find_account(database, name)
    if account is None:
        _charge_nobody(database, name, now)
    admitted = account is not None and _charge_attempt(database, account, now)
    password_hash = account.password_hash if account is not None and admitted else _dummy_hash()
    if not (_matches(password_hash, password) and account is not None and admitted):
        return None
    with database.write.begin() as connection:
        clear = {"failed_logins": 0, "login_allowed_at": None, "last_login_at": now}
        fresh = {"password_hash": _hasher.hash(password)} if _is_dated(password_hash) else {}
        connection.execute(sa.update(user).where(_u.id == account.id).values(**clear, **fresh))
        return find_user(connection, account.id)


_USERS = sa.select(_u.id, _u.name, _u.role, _u.active, _u.session_epoch, _u.last_login_at)


def _as_user(row: sa.Row[*tuple[Any, ...]]) -> User:
    return User(row.id, row.name, Role(row.role), row.active, row.session_epoch, row.last_login_at)


@dataclass(frozen=True)
class _Account:
    id: int
    password_hash: str
    failed_logins: int


def _find_account(database: Database, name: str) -> _Account | None:
    query = sa.select(_u.id, _u.password_hash, _u.failed_logins)
    query = query.where(
        sa.func.lower(_u.name) == name.strip().lower()[:MAX_NAME],
        _u.active,
        _u.password_hash != "",  # of those whom a provider vouches for
    )
    with database.read.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _Account(*row)


def _charge_attempt(database: Database, account: _Account, now: datetime) -> bool:
    charge = (
        sa.update(user)
        .where(
            _u.id == account.id,
            _u.failed_logins == account.failed_logins,
            sa.or_(_u.login_allowed_at.is_(None), _u.login_allowed_at <= now),
        )
        .values(
            failed_logins=account.failed_logins + 1,
            login_allowed_at=now + delay_after(account.failed_logins + 1),
        )
    )
    with database.write.begin() as connection:
        return connection.execute(charge).rowcount == 1


def _charge_nobody(database: Database, name: str, now: datetime) -> None:
    """One guarded write for a name that nobody has, as for one that is known: time must not tell.

    Whoever signs in spends an address's pace besides, and that forgets these rows.
    """
    digest = hashlib.sha256(name.strip().lower().encode("utf-8", "replace")).hexdigest()
    with database.write.begin() as connection:
        spend(connection, f"nobody:{digest}", FREE_ATTEMPTS, now)


def delay_after(failures: int) -> timedelta:
    """How long an account waits after so many failures in a row: 1, 2, 4 … seconds, capped.

    The cap is low on purpose: whoever knows a name must not be able to keep its owner out.
    """
    if failures < FREE_ATTEMPTS:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(failures - FREE_ATTEMPTS, 16)), LONGEST_DELAY)


def _hash(password: str, name: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Refused(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    if why := _easily_guessed(password, name):
        raise Refused(f"This password is easy to guess: {why} A few unrelated words are good.")
    return _hasher.hash(password)


def _easily_guessed(password: str, name: str) -> str | None:
    """Why somebody with a list of common passwords would find it in 10**10 attempts, if so."""
    from zxcvbn import zxcvbn  # its lists take a tenth of a second, which no tick must wait for

    found = zxcvbn(password[:_MOST_JUDGED], [*CONTEXT_WORDS, name])
    if found["score"] >= _GOOD_ENOUGH:
        return None
    return found["feedback"]["warning"] or "it is put together from common parts."


@cache
def _dummy_hash() -> str:
    return _hasher.hash("nobody's password")


def _matches(password_hash: str, password: str) -> bool:
    try:
        # A longer one costs as much work, and is never right.
        right = _hasher.verify(password_hash, password[:MAX_PASSWORD])
        return right and len(password) <= MAX_PASSWORD
    except (VerificationError, InvalidHashError):
        return False


def _is_dated(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Refused(f"A user's name has 1 to {MAX_NAME} printable characters.")
    return name


def _change(
    database: Database,
    name: str,
    changes: dict[str, object],
    action: str,
    after: dict[str, object],
    now: datetime,
    author: Author,
) -> None:
    with database.write.begin() as connection:
        found = connection.execute(_USERS.where(_u.name == name)).one_or_none()
        if found is None:
            raise NotFound(f"There is no user {name!r}; `tick user list` lists them.")
        changed = sa.update(user).where(_u.name == name)
        connection.execute(changed.values(**changes, session_epoch=_u.session_epoch + 1))
        before = {column: found._mapping[column] for column in after}
        _record(connection, now, author, action, name, before=before, after=after)


def _record(
    connection: sa.Connection,
    now: datetime,
    author: Author,
    action: str,
    name: str,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    record(
        connection, at=now, author=author, action=action, subject=name, before=before, after=after
    )
