"""Users of the console: accounts with a role and a password, and the throttled login.

A login that fails says the same, after the same work, whether the name, the password or the pace
was wrong.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.errors import NotFound, Refused
from tick.ops.access import passwords
from tick.ops.access.login_attempts import (
    LoginOrigin,
    clear_all_attempts,
    clear_attempts,
    spend_attempt,
)
from tick.ops.access.names import checked_name, find_user_id, is_free
from tick.ops.act import Act, Change, action
from tick.ops.queries.revisions import revision_of
from tick.states import Role
from tick.store.database import Database
from tick.store.tables import user

_NOWHERE = LoginOrigin()
_u = user.c


@dataclass(frozen=True)
class User:
    """A person who may sign in. A session made under an older `session_epoch` has ended."""

    id: int
    name: str
    role: Role
    active: bool
    session_epoch: int
    last_login_at: datetime | None

    @property
    def revision(self) -> str:
        """Return a digest of what other people change: role, password, switch, sign-out."""
        return revision_of(self.id, self.session_epoch)


def create_user(database: Database, act: Act, name: str, password: str, role: Role) -> int:
    """Add a user; return its id. Raises Refused for a taken name or a weak password."""
    name = checked_name(name)
    # Hashed before the transaction: meanwhile SQLite would let nobody else write.
    return _insert_user(database, act, name, passwords.hash_password(password, name), role)


@action("user.create")
def _insert_user(change: Change, name: str, password_hash: str, role: Role) -> int:
    if not is_free(change.connection, name):
        raise Refused(f"There is a user {name!r} already; choose another name.")
    values = {"name": name, "password_hash": password_hash, "role": role, "created_at": change.now}
    created = sa.insert(user).values(values).returning(_u.id)
    user_id = change.connection.execute(created).scalar_one()
    change.record(after={"role": role})
    return int(user_id)


def make_first_admin(database: Database, act: Act, name: str) -> str | None:
    """Add an admin; return the random password, or None when there is a user already."""
    with database.read.connect() as connection:
        if connection.execute(sa.select(_u.id).limit(1)).first():
            return None
    password = secrets.token_urlsafe(18)
    create_user(database, act, name, password, Role.ADMIN)
    return password


def set_password(database: Database, act: Act, name: str, password: str) -> None:
    """Change a password and end the user's sessions. Raises NotFound, Refused, Stale."""
    _replace_hash(database, act, name, passwords.hash_password(password, name))


def change_own_password(database: Database, act: Act, name: str, present: str, new: str) -> User:
    """Change a password by the one that it takes the place of; all sessions end.

    Raises Refused when the present one is wrong, or was tried too often, or the new one is weak.
    """
    if log_in(database, name, present, now=act.now, origin=LoginOrigin("a session")) is None:
        raise Refused(
            "The present password is wrong, or was tried too often. Wait, then try again."
        )
    set_password(database, act, name, new)
    with database.read.connect() as connection:
        return as_user(connection.execute(_USERS.where(_u.name == name)).one())


def has_password(connection: sa.Connection, user_id: int) -> bool:
    """Whether the account signs in by a password, or else by an identity provider."""
    kept = sa.select(_u.password_hash).where(_u.id == user_id)
    return bool(connection.execute(kept).scalar())


def find_user(connection: sa.Connection, user_id: int) -> User | None:
    """Return the user of that id, unless switched off."""
    row = connection.execute(_USERS.where(_u.id == user_id, _u.active)).one_or_none()
    return None if row is None else as_user(row)


def list_users(connection: sa.Connection) -> Sequence[User]:
    """List the users by name, at most 500."""
    return [as_user(row) for row in connection.execute(_USERS.order_by(_u.name).limit(500))]


def log_in(
    database: Database, name: str, password: str, *, now: datetime, origin: LoginOrigin = _NOWHERE
) -> User | None:
    """Return the user, if name and password are right and the rate limit allows the attempt."""
    account = _find_account(database, name)
    who = _nobody(name) if account is None else str(account.id)
    epoch = None if account is None else account.session_epoch
    # Charged before the password is read, so that parallel guesses can't slip through.
    admitted = spend_attempt(database, who, origin, epoch, now) and account is not None
    password_hash = (
        account.password_hash if account is not None and admitted else passwords.nobodys_hash()
    )
    # A hash is compared in any case, so that the time tells nothing about the name.
    if not (passwords.matches(password_hash, password) and account is not None and admitted):
        return None
    # Guarded by the hash that was read: a password replaced meanwhile lets nobody in any more.
    admit = sa.update(user).where(_u.id == account.id, _u.password_hash == password_hash)
    admit = admit.values(
        last_login_at=now, password_hash=passwords.rehashed(password_hash, password)
    )
    with database.write.begin() as connection:
        if connection.execute(admit).rowcount == 0:
            return None
        clear_attempts(connection, who, origin)
        return find_user(connection, account.id)


_USERS = sa.select(_u.id, _u.name, _u.role, _u.active, _u.session_epoch, _u.last_login_at)


def as_user(row: sa.Row[*tuple[Any, ...]], user_id: int | None = None) -> User:
    """Return the user of a row; `user_id` where the row's own id is another thing's."""
    return User(
        user_id or row.id,
        row.name,
        Role(row.role),
        row.active,
        row.session_epoch,
        row.last_login_at,
    )


def _find_account(database: Database, name: str) -> sa.Row[int, str, int] | None:
    query = sa.select(_u.id, _u.password_hash, _u.session_epoch)
    # An account of an identity provider has no password.
    query = query.where(_u.active, _u.password_hash != "")
    with database.read.connect() as connection:
        named = find_user_id(connection, name)
        return connection.execute(query.where(_u.id == (named or 0))).one_or_none()


def _nobody(name: str) -> str:
    """Return a stand-in for the id of a user whom nobody is."""
    # As much is written for an unknown name as for a known one, so that time tells nothing.
    # The limit of addresses, which is spent as well, deletes these rows once they are full again.
    digest = hashlib.sha256(name.strip().lower().encode("utf-8", "replace")).hexdigest()
    return f"nobody:{digest[:32]}"


def _check_user(change: Change) -> None:
    found = _lock(change)
    is_now = f"{found.name} is {found.role} and {'may' if found.active else 'may not'} sign in."
    present = as_user(found).revision
    change.expect(present, f"{found.name} was changed since you read it: {is_now}")


@action("user.password", check=_check_user)
def _replace_hash(change: Change, name: str, password_hash: str) -> None:
    found = _change_user(change, {"password_hash": password_hash})
    clear_all_attempts(change.connection, str(found.id))


@action("user.sign-out", check=_check_user)
def end_sessions(change: Change, name: str) -> None:
    """Sign somebody out everywhere. Raises NotFound, Stale."""
    _change_user(change, {})


@action("user.role", check=_check_user)
def set_role(change: Change, name: str, role: Role) -> None:
    """Change a role and end the user's sessions. Raises NotFound, Refused, Stale."""
    _change_user(change, {"role": role})


@action("user.active", check=_check_user)
def set_active(change: Change, name: str, active: bool) -> None:
    """Let a user sign in, or no longer, and end their sessions. Raises NotFound, Refused, Stale."""
    _change_user(change, {"active": active})


def _change_user(change: Change, changes: Mapping[str, object]) -> sa.Row[*tuple[Any, ...]]:
    """Write the changes and end the user's sessions; return the user as they were."""
    found = _lock(change)
    changed = sa.update(user).where(_u.id == found.id)
    change.connection.execute(changed.values(**changes, session_epoch=_u.session_epoch + 1))
    # The audit never shows a password's hash.
    shown = {column: changes[column] for column in ("role", "active") if column in changes}
    before = {column: found._mapping[column] for column in shown}
    change.record(subject=found.name, before=before, after=shown)
    return found


def _lock(change: Change) -> sa.Row[*tuple[Any, ...]]:
    """Lock the user to be changed, and the author; return the former. Raises NotFound, Refused."""
    named = find_user_id(change.connection, change.subject)
    if named is None:
        raise NotFound(f"There is no user {change.subject!r}; `tick user list` lists them.")
    # The author as well: of two admins who take the role from one another, the second has lost
    # it by then, so that an admin always remains. In order of id, against deadlock.
    concerned = _USERS.where(sa.or_(_u.id == named, _u.name == change.author.name))
    concerned = concerned.order_by(_u.id).with_for_update()
    locked = {row.id: row for row in change.connection.execute(concerned)}
    found = locked.pop(named)
    for other in locked.values():
        if not (other.active and other.role == Role.ADMIN):
            raise Refused(
                f"{other.name} is no administrator any more; {found.name} stays as before."
            )
    return found
