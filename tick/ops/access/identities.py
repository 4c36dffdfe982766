"""Accounts of users of an identity provider, linked by issuer and subject.

The provider decides the role anew at each sign-in. A name alone links nothing: a person with the
name of an existing user gets an account under another name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from tick.engine.ledger.audit import Act
from tick.ops.access.names import MAX_NAME, is_free, is_reserved
from tick.ops.access.users import User, find_user
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
    with database.write.begin() as connection:
        found = _find(connection, person)
        if found is None:
            _create(connection, act, person)
            found = _find(connection, person)
        if found is None or not found.active:
            return None
        if found.role != person.role:
            _change_role(connection, act, found, person.role)
        seen = sa.update(user).where(_u.id == found.id).values(last_login_at=act.now)
        connection.execute(seen)
        return find_user(connection, found.id)


def _find(
    connection: sa.Connection, person: ExternalIdentity
) -> sa.Row[*tuple[object, ...]] | None:
    wanted = sa.select(_u.id, _u.name, _u.role, _u.active)
    return connection.execute(wanted.where(_u.external_id == person.external_id)).one_or_none()


def _create(connection: sa.Connection, act: Act, person: ExternalIdentity) -> None:
    """Create an account under the first free name, without a password."""
    values = {"password_hash": "", "role": person.role, "created_at": act.now}
    for name in person.names():
        if is_reserved(name) or not is_free(connection, name):
            continue
        insert = insert_into(connection.dialect.name, user).on_conflict_do_nothing()
        made = insert.values(name=name, external_id=person.external_id, **values).returning(_u.id)
        if connection.execute(made).first() is not None:
            after = {"role": person.role, "external_id": person.external_id}
            act.record(connection, "user.create", name, after=after)
        return


def _change_role(
    connection: sa.Connection, act: Act, account: sa.Row[*tuple[object, ...]], role: Role
) -> None:
    changed = sa.update(user).where(_u.id == account.id)
    connection.execute(changed.values(role=role, session_epoch=_u.session_epoch + 1))
    before = {"role": account.role}
    act.record(connection, "user.role", account.name, before=before, after={"role": role})
