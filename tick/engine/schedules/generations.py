"""The sets of definitions that were synced, and which of them is in force."""

from datetime import datetime
from enum import Enum

import sqlalchemy as sa

from tick.define.registry import Registry
from tick.store.tables import definition_set


class DefinitionStatus(Enum):
    """How a set of definitions stands to the one that was synced last.

    A process of an older release must not bring its definitions back during a rolling deploy, so
    processes only sync by themselves what was never seen.
    """

    NEVER_SEEN = "never seen"
    IN_FORCE = "in force"
    SUPERSEDED = "superseded"


def definition_status(connection: sa.Connection, registry: Registry) -> DefinitionStatus:
    """Whether these very definitions are in force, were so once, or never."""
    g = definition_set.c
    newest = connection.execute(sa.select(g.digest).order_by(g.generation.desc()).limit(1)).scalar()
    if newest == registry.digest:
        return DefinitionStatus.IN_FORCE
    seen = sa.select(sa.exists().where(g.digest == registry.digest))
    return (
        DefinitionStatus.SUPERSEDED
        if connection.execute(seen).scalar()
        else DefinitionStatus.NEVER_SEEN
    )


def next_generation(
    connection: sa.Connection, registry: Registry, now: datetime, release: str
) -> int:
    """The generation of these definitions: a new one, unless they are in force."""
    g = definition_set.c
    newest = connection.execute(
        sa.select(g.generation, g.digest).order_by(g.generation.desc()).limit(1)
    ).first()
    if newest is not None and newest.digest == registry.digest:
        return int(newest.generation)
    generation = 1 if newest is None else newest.generation + 1
    connection.execute(
        sa.insert(definition_set),
        {
            "generation": generation,
            "digest": registry.digest,
            "release": release,
            "created_at": now,
        },
    )
    return int(generation)


def latest_generation(connection: sa.Connection) -> int:
    """The generation that was synced last; 0 before the first sync."""
    newest = sa.select(sa.func.coalesce(sa.func.max(definition_set.c.generation), 0))
    return int(connection.execute(newest).scalar_one())
