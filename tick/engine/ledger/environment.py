"""The environment that a database belongs to: taken at the first sync, and held to ever after."""

import sqlalchemy as sa

from tick.engine.ledger.audit import Act
from tick.errors import WrongEnvironment
from tick.store.sql import insert_ignore
from tick.store.tables import setting

NAME = "environment"
SUBJECT = "database"
_s = setting.c
_STORED = sa.select(_s.value).where(_s.name == NAME)
ENVIRONMENT = _STORED.scalar_subquery()
"""Its name; null before the first sync. For statements that are sent anyway."""


def stored_environment(connection: sa.Connection) -> str | None:
    """The environment that the database belongs to; None before its first sync."""
    found: str | None = connection.execute(_STORED).scalar()
    return found


def expect_environment(stored: str | None, mine: str) -> None:
    """Raise WrongEnvironment if the database belongs to another environment than `mine`."""
    if (mistake := environment_mistake(stored, mine)) is not None:
        raise WrongEnvironment(mistake)


def environment_mistake(stored: str | None, mine: str) -> str | None:
    """The sentence on a database of another environment; None if there is nothing to say."""
    if stored is None or stored == mine:
        return None
    return (
        f"This process is set to environment {mine}, and the database belongs to {stored}: set "
        f"TICK_ENVIRONMENT={stored}, or TICK_DATABASE_URL to the database of {mine}; if this is "
        f"a copy that {mine} is to have, run `tick db environment {mine} --from {stored}`."
    )


def take_environment(connection: sa.Connection, mine: str, act: Act) -> None:
    """Let the database belong to `mine` if it belongs to none yet. Raises WrongEnvironment."""
    stored = stored_environment(connection)
    if stored is None:
        values = {"name": NAME, "value": mine, "updated_at": act.now, "updated_by": act.author.name}
        statement = insert_ignore(connection.dialect.name, setting).returning(_s.name)
        if connection.execute(statement, values).scalar() is not None:
            act.record(connection, "environment.set", SUBJECT, after={"environment": mine})
        # Asked again: another process may have been first.
        stored = stored_environment(connection)
    expect_environment(stored, mine)
