"""Calendars, in the definitions and by hand, as people read them."""

from collections.abc import Iterator
from datetime import date, time
from typing import Any

import sqlalchemy as sa
from pydantic import Field, JsonValue

from tick.define.calendar_days import ExpandedCalendars
from tick.define.registry import Registry
from tick.define.wrong_values import did_you_mean
from tick.engine.schedules.calendars import calendars_of_schedules
from tick.engine.schedules.known_calendars import with_known_calendars
from tick.errors import NotFound
from tick.ops.queries.revisions import revision_of
from tick.ops.schemas import Page, Schema
from tick.policy.business_days import BusinessDays
from tick.states import ScheduleSource
from tick.store.sql import AnyRow
from tick.store.tables import calendar

_c = calendar.c
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Holiday(Schema):
    """A day off with a name, or a half day."""

    date: date
    name: str
    estimated: bool = Field(description="it hangs on the moon, or on an announcement to come")


class Calendar(Schema):
    """A calendar: when it is known, and its holidays of one year."""

    name: str
    source: ScheduleSource = Field(description="CODE, or CUSTOM for one made by hand")
    made_from: str = Field(description="the library and its version, files, own dates")
    mistake: str | None = Field(description="why one by hand has no days; null: it has")
    known_from: date | None
    known_until: date | None = Field(description="after it, only weekdays decide; firings say so")
    weekend: tuple[str, ...]
    year: int
    holidays: tuple[Holiday, ...] = Field(description="of the year, half days with their end")
    working_weekends: tuple[date, ...] = Field(description="of the year: days that make up")
    used_by: tuple[str, ...] = Field(description="the schedules that go by it")
    revision: str | None = Field(description="of one made by hand, for If-Match")
    updated_by: str | None = Field(description="who wrote one by hand last")


class CalendarList(Page[Calendar]):
    """All calendars, by name."""


class CalendarDetail(Calendar):
    """A calendar with what was written of it."""

    written: dict[str, JsonValue] | None = Field(description="null: it lives in the definitions")
    deleted: bool = Field(description="whether it was deleted; it can be restored")


def list_calendars(connection: sa.Connection, registry: Registry, year: int) -> CalendarList:
    """Return all calendars with their holidays of a year."""
    known = with_known_calendars(connection, registry).calendars
    rows = {row.name: row for row in connection.execute(sa.select(calendar))}
    users = calendars_of_schedules(connection)
    names = sorted({*known.days, *known.by_hand})
    items = (_calendar(known, name, rows.get(name), users, year) for name in names)
    return CalendarList(items=tuple(items))


def get_calendar(
    connection: sa.Connection, registry: Registry, name: str, year: int
) -> CalendarDetail:
    """Return a calendar with its holidays of a year; one by hand also deleted. Raises NotFound."""
    known = with_known_calendars(connection, registry, [name]).calendars
    row = connection.execute(sa.select(calendar).where(_c.name == name)).first()
    row = None if name in registry.calendars.days else row
    if row is None and name not in known.days:
        near = did_you_mean(name, known.days)
        raise NotFound(f"No calendar is called {name!r}{near}; `tick calendars` lists them.")
    found = _calendar(known, name, row, calendars_of_schedules(connection), year)
    return CalendarDetail(
        **dict(found),
        written=None if row is None else row.written,
        deleted=row is not None and row.removed_at is not None,
    )


def calendar_names(connection: sa.Connection, registry: Registry) -> list[str]:
    """Return the names of the calendars that a schedule by hand may go by."""
    return sorted(with_known_calendars(connection, registry).calendars.days)


def calendar_revision(row: AnyRow) -> str:
    """Return the revision of a calendar by hand."""
    return revision_of(row.name, row.number)


def _calendar(
    known: ExpandedCalendars,
    name: str,
    row: AnyRow | None,
    users: list[tuple[str, str]],
    year: int,
) -> Calendar:
    days = known.days.get(name)
    by_hand = row is not None and name in known.by_hand
    return Calendar(
        name=name,
        source=ScheduleSource.CODE if row is None else ScheduleSource.CUSTOM,
        made_from=known.made_from.get(name, ""),
        mistake=known.by_hand.get(name) if by_hand else None,
        year=year,
        used_by=tuple(schedule_id for schedule_id, each in users if each == name),
        revision=None if row is None else calendar_revision(row),
        updated_by=None if row is None else row.updated_by,
        **(_NOTHING_KNOWN if days is None else _days(days, year)),
    )


_NOTHING_KNOWN: dict[str, Any] = {
    "known_from": None,
    "known_until": None,
    "weekend": (),
    "holidays": (),
    "working_weekends": (),
}


def _days(days: BusinessDays, year: int) -> dict[str, Any]:
    estimated = set(_dates(days.estimated, year))
    return {
        "known_from": date.fromisoformat(days.first),
        "known_until": date.fromisoformat(days.until),
        "weekend": tuple(_WEEKDAYS[number] for number in days.weekend),
        "holidays": tuple(
            Holiday(date=day, name=name, estimated=day in estimated)
            for day, name in sorted(_named(days, year))
        ),
        "working_weekends": tuple(_dates(days.make_up_days, year)),
    }


def _named(days: BusinessDays, year: int) -> Iterator[tuple[date, str]]:
    for name, texts in days.holidays:
        yield from ((day, name) for day in _dates(texts, year))
    for at, texts in days.half_days:
        said = f"half day, over at {time.fromisoformat(at):%H:%M}"
        yield from ((day, said) for day in _dates(texts, year))


def _dates(text: str, year: int) -> list[date]:
    return [date.fromisoformat(day) for day in text.split() if day.startswith(f"{year:04}")]
