"""Accounts of users of an identity provider, linked by issuer and subject.

The provider decides the role anew at each sign-in. A name alone links nothing: a person with the
name of an existing user gets an account under another name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tick.ops.access.names import MAX_NAME, is_free, is_reserved
from tick.ops.access.users import User, find_user
from tick.ops.act import Act, Change, action
from tick.states import Role
from tick.store.database import Database
from tick.store.sql import insert_into
from tick.store.tables import user

_u = user.c


@dataclass(frozen=True)
class ExternalIdentity:
    """A person as the identity provider describes them, and the role that they have here."""

    issuer: str
    subject: str
    name: str
    role: Role

    @property
    def external_id(self) -> str:
        """The issuer and the subject, by which the account is found (without spaces)."""
        return f"{self.issuer} {self.subject}"

    def names(self) -> Iterator[str]:
        """The names that the account may have, the best first."""
        shown = "".join(letter for letter in self.name if letter.isprintable()).strip()
        if shown:
            yield shown[:MAX_NAME]
        yield f"{shown[:50]} ({self.subject})".strip()[:MAX_NAME]
        yield self.external_id[-MAX_NAME:]


def find_or_create_user(database: Database, act: Act, person: ExternalIdentity) -> User | None:
    """Return the person's account, created at the first sign-in; None if it is disabled.

    If the provider has changed the role, sessions that began under the old one end.
    """
    with database.read.connect() as connection:
        is_known = _find(connection, person.external_id) is not None
    if not is_known:
        _create(database, act, person)
    return _sign_in(database, act, person.external_id, person.role)


@action("user.create", subject="user")
def _create(change: Change, person: ExternalIdentity) -> None:
    """Create an account under the first free name, without a password."""
    external_id = person.external_id
    values = {"password_hash": "", "role": person.role, "created_at": change.now}
    for name in person.names():
        if is_reserved(name) or not is_free(change.connection, name):
            continue
        # Another sign-in of the same person may have created it since it was looked for.
        insert = insert_into(change.connection.dialect.name, user).on_conflict_do_nothing()
        made = insert.values(name=name, external_id=external_id, **values).returning(_u.id)
        if change.connection.execute(made).first() is not None:
            change.record(subject=name, after={"role": person.role, "external_id": external_id})
        return


@action("user.role")
def _sign_in(change: Change, external_id: str, role: Role) -> User | None:
    """Note the sign-in and return the user, whose role is what the provider says by now."""
    connection = change.connection
    found = _find(connection, external_id)
    if found is None or not found.active:
        return None
    values: dict[str, Any] = {"last_login_at": change.now}
    if found.role != role:
        values |= {"role": role, "session_epoch": _u.session_epoch + 1}
        change.record(subject=found.name, before={"role": found.role}, after={"role": role})
    connection.execute(sa.update(user).where(_u.id == found.id).values(values))
    return find_user(connection, found.id)


def _find(connection: sa.Connection, external_id: str) -> sa.Row[*tuple[Any, ...]] | None:
    wanted = sa.select(_u.id, _u.name, _u.role, _u.active)
    return connection.execute(wanted.where(_u.external_id == external_id)).one_or_none()
