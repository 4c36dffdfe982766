"""The calendars that schedules may name: those of the definitions, and those made by hand."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from tick.define.calendars_by_hand import needed_by, with_calendars_by_hand
from tick.define.registry import Registry
from tick.errors import DefinitionsInvalid
from tick.store.tables import calendar

_c = calendar.c
_MADE = (
    sa.select(_c.name, _c.written, _c.created_by).where(_c.removed_at.is_(None)).order_by(_c.name)
)


def written_calendars(connection: sa.Connection) -> dict[str, Mapping[str, Any]]:
    """Return what is written of each calendar by hand that was not deleted."""
    return {row.name: row.written for row in connection.execute(_MADE)}


def refuse_same_names(connection: sa.Connection, registry: Registry) -> None:
    """Raise DefinitionsInvalid where code and a person gave two calendars one name."""
    if not registry.calendars.days:
        return
    rows = [row for row in connection.execute(_MADE) if row.name in registry.calendars.days]
    if rows:
        raise DefinitionsInvalid([_two_of_a_name(row.name, row.created_by) for row in rows])


def _two_of_a_name(name: str, by: str) -> str:
    # Neither of the two can be left out: whoever named one would go by the other.
    return (
        f"calendar {name!r} in the definitions: the calendar that {by} made by hand has this name "
        "as well; give this one another name, or delete that one in the console."
    )


def named_in(written: Mapping[str, Any]) -> list[str | None]:
    """Return the calendars that a schedule by hand names, in any of its environments."""
    environments = written.get("environments")
    differing = environments.values() if isinstance(environments, Mapping) else ()
    named = (each.get("calendar") for each in differing if isinstance(each, Mapping))
    return [written.get("calendar"), *named]


def with_known_calendars(
    connection: sa.Connection, registry: Registry, names: Iterable[str | None] | None = None
) -> Registry:
    """Return the registry with the calendars by hand; of `names`, those that code lacks.

    Schedules in code go by the calendars in code alone: those are reviewed with them.
    """
    wanted = None
    if names is not None:
        wanted = {name for name in names if name} - registry.calendars.days.keys()
        if not wanted:
            return registry
    written = written_calendars(connection)
    kept = written if wanted is None else needed_by(wanted, written)
    return replace(registry, calendars=with_calendars_by_hand(registry.calendars, kept))
