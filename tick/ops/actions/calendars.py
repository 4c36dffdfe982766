"""Calendars by hand: making, editing, deleting and restoring those that don't live in code."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from tick.define.calendars_by_hand import OPTIONS, plain
from tick.define.registry import Registry
from tick.engine.schedules import calendars
from tick.engine.schedules.sync import one_at_a_time
from tick.errors import NotFound, Refused
from tick.ops.act import Act, Change, action
from tick.ops.actions.custom_schedules import schedule_writer
from tick.ops.queries.calendars import calendar_revision
from tick.store.database import Database


def _check(change: Change) -> None:
    # The same order of locks as without a revision: no two transactions cross.
    one_at_a_time(change.connection)
    row = calendars.find_calendar(change.connection, change.subject)
    state = "deleted" if row.removed_at else "changed"
    change.expect(
        calendar_revision(row),
        f"Calendar {row.name} was {state} by {row.updated_by} since you read it.",
    )


def make_calendar(
    database: Database, act: Act, name: str, registry: Registry, written: Mapping[str, Any]
) -> None:
    """Make a calendar. Raises InvalidInput, and Refused when the name is taken."""
    try:
        _make(database, act, name, registry, written)
    except sa.exc.IntegrityError:
        raise Refused(f"A calendar {name} was made just now; choose another name.") from None


@action("calendar.add")
def _make(change: Change, name: str, registry: Registry, written: Mapping[str, Any]) -> None:
    calendars.make(schedule_writer(change, registry), name, kept(written))


@action("calendar.change", check=_check)
def edit_calendar(
    change: Change, name: str, registry: Registry, given: Mapping[str, Any]
) -> list[str]:
    """Write what is given of a calendar, and return the schedules that follow; the rest stays.

    None takes an option away. Raises NotFound, Stale, InvalidInput, and Refused for one in code.
    """
    writer = schedule_writer(change, registry)
    row = _find(change, name, registry)
    return calendars.edit(writer, row, kept({**row.written, **given}))


@action("calendar.delete", check=_check)
def delete_calendar(change: Change, name: str, registry: Registry) -> None:
    """Delete a calendar; it can be restored. Raises NotFound, Stale, Refused while it is used."""
    writer = schedule_writer(change, registry)
    calendars.delete(writer, _find(change, name, registry))


@action("calendar.restore")
def restore_calendar(change: Change, name: str, registry: Registry) -> None:
    """Bring a deleted calendar back. Raises NotFound, Refused, InvalidInput."""
    writer = schedule_writer(change, registry)
    calendars.restore(writer, _find(change, name, registry))


def kept(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that say something, as JSON values."""
    return {name: plain(written[name]) for name in OPTIONS if written.get(name) not in _NOTHING}


def _find(change: Change, name: str, registry: Registry) -> Any:
    try:
        return calendars.find_calendar(change.connection, name)
    except NotFound:
        if name in registry.calendars.days:
            raise Refused(
                f"Calendar {name} lives in code, so that each change of it is reviewed. Edit "
                f"`Calendar({name!r}, …)` in the definitions, deploy, and `tick sync`."
            ) from None
        raise


_NOTHING: tuple[Any, ...] = (None, "", {}, [], ())
