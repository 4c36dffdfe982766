"""Calendars that people make by hand: made, edited, deleted and brought back.

Schedules made by hand follow at once: the days of their calendar come with a new version.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import sqlalchemy as sa

from tick.define.calendars_by_hand import OPTIONS, calendar_of, too_many, with_calendars_by_hand
from tick.engine.schedules.known_calendars import written_calendars
from tick.engine.schedules.sync import follow
from tick.engine.schedules.writer import ScheduleWriter
from tick.errors import InvalidInput, NotFound, Refused
from tick.states import ScheduleState
from tick.store.sql import AnyRow
from tick.store.tables import calendar, job_schedule, schedule_version

_c, _s, _v = calendar.c, job_schedule.c, schedule_version.c
MOST_CALENDARS = 200
_MOST_NAMED, _MOST_TOLD = 5, 100


def find_calendar(connection: sa.Connection, name: str) -> AnyRow:
    """Return the row of a calendar by hand, locked on PostgreSQL. Raises NotFound."""
    found = sa.select(calendar).where(_c.name == name).with_for_update()
    if (row := connection.execute(found).first()) is None:
        raise NotFound(
            f"No calendar {name!r} was made by hand; `tick calendars` lists those there are."
        )
    return row


def make(writer: ScheduleWriter, name: str, written: Mapping[str, Any]) -> None:
    """Add a calendar. Raises InvalidInput, Refused when its name is taken."""
    connection = writer.connection
    row = connection.execute(sa.select(calendar).where(_c.name == name)).first()
    if row is not None:
        deleted = f"Calendar {name} was deleted; restore it, or choose another name."
        there = f"A calendar {name} is there, made by {row.created_by}; choose another name."
        raise Refused(deleted if row.removed_at else there)
    others = written_calendars(connection)
    if len(others) >= MOST_CALENDARS:
        raise Refused(f"There are {len(others)} calendars, as many as are kept; delete one first.")
    check(writer, name, written)
    by = {"created_at": writer.now, "created_by": writer.author.name}
    by |= {"updated_at": writer.now, "updated_by": writer.author.name}
    connection.execute(
        sa.insert(calendar), {"name": name, "written": dict(written), "number": 1, **by}
    )
    writer.note("calendar.add", name, after=told(written))


def edit(writer: ScheduleWriter, row: AnyRow, written: Mapping[str, Any]) -> list[str]:
    """Write what changed, and return the schedules that follow. Raises InvalidInput, Refused."""
    if row.removed_at is not None:
        raise Refused(f"Calendar {row.name} was deleted; restore it, then edit it.")
    if dict(written) == dict(row.written):
        return []
    check(writer, row.name, written)
    _write(writer, row, written=dict(written))
    before, after = changed_days(row.written, written)
    writer.note("calendar.change", row.name, before=before, after=after)
    return _follow(writer, row.name)


def delete(writer: ScheduleWriter, row: AnyRow) -> None:
    """Take it away; it can be restored. Raises Refused while anything goes by it."""
    if row.removed_at is not None:
        raise Refused(f"Calendar {row.name} was deleted already.")
    schedules = users_of(writer.connection, row.name)
    calendars = [
        name
        for name, each in written_calendars(writer.connection).items()
        if row.name in (*each.get("all_of", ()), *each.get("any_of", ()))
    ]
    if schedules or calendars:
        users = [f"schedule {each}" for each in schedules]
        users += [f"calendar {each}" for each in calendars]
        named = ", ".join(users[:_MOST_NAMED])
        more = f" and {len(users) - _MOST_NAMED} more" if len(users) > _MOST_NAMED else ""
        raise Refused(
            f"Calendar {row.name} is used by {named}{more}; give them another one, then delete it."
        )
    _write(writer, row, removed_at=writer.now)
    writer.note("calendar.delete", row.name, before=told(row.written))


def restore(writer: ScheduleWriter, row: AnyRow) -> None:
    """Bring a deleted one back. Raises Refused, InvalidInput if it does not hold any more."""
    if row.removed_at is None:
        raise Refused(f"Calendar {row.name} is there: it was not deleted.")
    check(writer, row.name, row.written)
    _write(writer, row, removed_at=None)
    writer.note("calendar.restore", row.name)
    _follow(writer, row.name)


def check(writer: ScheduleWriter, name: str, written: Mapping[str, Any]) -> None:
    """Raise InvalidInput if a calendar does not hold with the others, Refused if code has it."""
    code = writer.registry.calendars
    if name in code.days:
        raise Refused(
            f"Calendar {name} is in the definitions, and is edited there; choose another name."
        )
    try:
        calendar_of(name, written)
    except (TypeError, ValueError) as error:
        raise InvalidInput([("body", str(error))]) from None
    others = written_calendars(writer.connection)
    wrong = too_many(written)
    if wrong is None:
        wrong = with_calendars_by_hand(code, {**others, name: written}).by_hand[name]
    if wrong is not None:
        raise InvalidInput([(f"body.{_option_in(wrong)}", wrong)])


def _option_in(wrong: str) -> str:
    """Return the option that a mistake is about."""
    first = wrong.split(" ", 1)[0]
    if first in OPTIONS:
        return first
    return next((option for said, option in _SAID_OF.items() if said in wrong), "dates")


_SAID_OF = {
    "use lower-case letters": "name",
    "no time of day": "half_days",
    "combines": "all_of",
    "all_of and any_of": "all_of",
    "choose a subdivision": "subdivision",
    "no subdivision": "subdivision",
    "of category": "categories",
}
"""What mistakes say that don't begin with the option's name; the rest is about dates."""


def users_of(connection: sa.Connection, name: str) -> list[str]:
    """Return the schedules that go by a calendar, by id."""
    return sorted(id_ for id_, each in calendars_of_schedules(connection) if each == name)


def calendars_of_schedules(connection: sa.Connection) -> list[tuple[str, str]]:
    """Return the schedules that go by a calendar, each with its name."""
    named = _v.definition["calendar"]["name"].as_string()
    found = (
        sa.select(_s.id, named)
        .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
        .where(named.is_not(None), _s.state != ScheduleState.REMOVED)
        .order_by(_s.id)
    )
    return [(row[0], row[1]) for row in connection.execute(found)]


def told(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit keeps of a calendar: of long lists the beginning."""
    return {option: _bounded(value) for option, value in written.items()}


def changed_days(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what an edit took away and what it brought: of dates only those that differ."""
    sides: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for option in OPTIONS:
        old, new = before.get(option), after.get(option)
        if old == new:
            continue
        for side, mine, other in zip(sides, (old, new), (new, old), strict=True):
            if isinstance(mine, Mapping) and isinstance(other, Mapping):
                side[option] = {day: name for day, name in mine.items() if other.get(day) != name}
            elif mine is not None:
                side[option] = mine
    return told(sides[0]), told(sides[1])


def _bounded(value: Any) -> Any:
    if isinstance(value, Mapping) and len(value) > _MOST_TOLD:
        return dict(islice(value.items(), _MOST_TOLD)) | {"more": len(value) - _MOST_TOLD}
    if isinstance(value, list) and len(value) > _MOST_TOLD:
        return [*value[:_MOST_TOLD], f"{len(value) - _MOST_TOLD} more"]
    return value


def _write(writer: ScheduleWriter, row: AnyRow, **values: Any) -> None:
    written = writer.connection.execute(
        sa.update(calendar)
        .where(_c.name == row.name, _c.number == row.number)
        .values(
            **values, number=row.number + 1, updated_at=writer.now, updated_by=writer.author.name
        )
    )
    if not written.rowcount:
        raise Refused(f"Calendar {row.name} was changed just now; read it again, then repeat.")


def _follow(writer: ScheduleWriter, name: str) -> list[str]:
    """Give schedules that go by it their new days. Raises Refused if one could not fire then."""
    found = follow(writer.connection, writer.act, writer.registry, writer.generation)
    if found.broken:
        raise Refused(
            f"With these days of {name}, {_first(found.broken)} could not fire; mend it first."
        )
    return found.changed


def _first(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:_MOST_NAMED])
