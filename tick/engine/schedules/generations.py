"""The sets of definitions that were synced, and which of them is in force."""

from datetime import datetime
from enum import Enum

import sqlalchemy as sa

from tick.define.registry import Registry
from tick.engine.ledger.environment import ENVIRONMENT, expect_environment
from tick.store.tables import definition_set

_g = definition_set.c
_NEWEST = (
    sa.select(_g.generation, _g.digest, ENVIRONMENT.label("environment"))
    .order_by(_g.generation.desc())
    .limit(1)
)


class DefinitionStatus(Enum):
    """A set of definitions beside the one that was synced last."""

    NEVER_SEEN = "never seen"
    IN_FORCE = "in force"
    IN_FORCE_ANYWHERE = "in force, in a database that belongs to no environment yet"
    SUPERSEDED = "superseded"


def definition_status(connection: sa.Connection, registry: Registry) -> DefinitionStatus:
    """Whether these very definitions are in force, were so once, or never.

    Raises WrongEnvironment if the database belongs to another environment than theirs.
    """
    # By this a process syncs by itself only what was never seen: one of an older release must not
    # bring its definitions back during a rolling deploy.
    newest = connection.execute(_NEWEST).first()
    if newest is not None:
        expect_environment(newest.environment, registry.environment)
    if newest is not None and newest.digest == registry.digest:
        # Synced by a release that knew of no environments.
        if newest.environment is None:
            return DefinitionStatus.IN_FORCE_ANYWHERE
        return DefinitionStatus.IN_FORCE
    seen = sa.select(sa.exists().where(_g.digest == registry.digest))
    was_seen = connection.execute(seen).scalar()
    return DefinitionStatus.SUPERSEDED if was_seen else DefinitionStatus.NEVER_SEEN


def next_generation(
    connection: sa.Connection, registry: Registry, now: datetime, release: str
) -> int:
    """The generation of these definitions: a new one, unless they are in force."""
    newest = connection.execute(_NEWEST).first()
    if newest is not None and newest.digest == registry.digest:
        return int(newest.generation)
    generation = 1 if newest is None else int(newest.generation) + 1
    new = {"generation": generation, "digest": registry.digest}
    connection.execute(sa.insert(definition_set), new | {"release": release, "created_at": now})
    return generation


def latest_generation(connection: sa.Connection) -> int:
    """The generation that was synced last; 0 before the first sync."""
    newest = connection.execute(_NEWEST).first()
    return 0 if newest is None else int(newest.generation)
