"""People whom an identity provider vouches for: an account each, linked by issuer and subject.

The provider decides the role, anew at each sign-in. A name alone links nothing: whoever is called
like somebody who has an account here becomes somebody else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger.audit import Author, record
from tick.ops.access.names import MAX_NAME, is_a_programs, is_free
from tick.ops.access.users import User, find_user
from tick.states import Role
from tick.store.database import Database
from tick.store.sql import insert_into
from tick.store.tables import user

_u = user.c


@dataclass(frozen=True)
class Person:
    """Whom the provider has vouched for, and as what they may come in."""

    issuer: str
    subject: str
    name: str
    role: Role

    @property
    def external_id(self) -> str:
        """What the account is linked by: an issuer has no space in it."""
        return f"{self.issuer} {self.subject}"

    def names(self) -> Iterator[str]:
        """What the account may be called, the best first."""
        shown = "".join(letter for letter in self.name if letter.isprintable()).strip()
        if shown:
            yield shown[:MAX_NAME]
        yield f"{shown[:50]} ({self.subject})".strip()[:MAX_NAME]
        yield self.external_id[-MAX_NAME:]


def admit(database: Database, person: Person, *, now: datetime, author: Author) -> User | None:
    """The person's account, made at the first sign-in; None if it has been switched off.

    A role that the provider has changed ends the sessions that began under the old one.
    """
    with database.write.begin() as connection:
        found = _find(connection, person)
        if found is None:
            _create(connection, person, now, author)
            found = _find(connection, person)
        if found is None or not found.active:
            return None
        if found.role != person.role:
            _change_role(connection, found, person.role, now, author)
        seen = sa.update(user).where(_u.id == found.id).values(last_login_at=now)
        connection.execute(seen)
        return find_user(connection, found.id)


def _find(connection: sa.Connection, person: Person) -> sa.Row[*tuple[object, ...]] | None:
    wanted = sa.select(_u.id, _u.name, _u.role, _u.active)
    return connection.execute(wanted.where(_u.external_id == person.external_id)).one_or_none()


def _create(connection: sa.Connection, person: Person, now: datetime, author: Author) -> None:
    """An account under the first name that is free; it has no password, so none fits."""
    values = {"password_hash": "", "role": person.role, "created_at": now}
    for name in person.names():
        if is_a_programs(name) or not is_free(connection, name):
            continue
        insert = insert_into(connection.dialect.name, user).on_conflict_do_nothing()
        made = insert.values(name=name, external_id=person.external_id, **values).returning(_u.id)
        if connection.execute(made).first() is not None:
            after = {"role": person.role, "external_id": person.external_id}
            record(
                connection, at=now, author=author, action="user.create", subject=name, after=after
            )
        return


def _change_role(
    connection: sa.Connection,
    account: sa.Row[*tuple[object, ...]],
    role: Role,
    now: datetime,
    author: Author,
) -> None:
    changed = sa.update(user).where(_u.id == account.id)
    connection.execute(changed.values(role=role, session_epoch=_u.session_epoch + 1))
    record(
        connection,
        at=now,
        author=author,
        action="user.role",
        subject=account.name,
        before={"role": account.role},
        after={"role": role},
    )
