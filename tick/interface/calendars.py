"""Calendars: which days are no business days. Those by hand are made and edited here."""

from datetime import date, time
from typing import Annotated, Any

from pydantic import AliasChoices, Field, StringConstraints

from tick.define.calendars_by_hand import MOST_FILE, dates_in
from tick.errors import InvalidInput
from tick.interface.inputs import Body, Name, OptionalReason, Query
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import calendars as actions
from tick.ops.queries import calendars
from tick.ops.queries.calendars import CalendarDetail, CalendarList
from tick.ops.schemas import Schema

resource = Resource("calendars", "Calendars, by which schedules know holidays and weekends.")
_Title = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
_File = Annotated[str, Field(max_length=MOST_FILE)]
# In JSON there are no dates: of texts they are read, of nothing else.
_Day = Annotated[date, Field(strict=False)]
_Time = Annotated[time, Field(strict=False)]


class YearQuery(Query):
    """Of which year."""

    year: int | None = Field(None, ge=1900, le=2199, description="default: this year, in UTC")


class CalendarOptions(Body):
    """What can be said of a calendar; see `Calendar` in the definitions. null takes it away."""

    country: Name | None = Field(None, description="two letters: its public holidays")
    subdivision: Name | None = None
    categories: tuple[Name, ...] | None = None
    dates: dict[_Day, _Title] | None = Field(None, description="holidays with their names")
    working: tuple[_Day, ...] | None = Field(None, description="no holidays after all")
    half_days: dict[_Day, _Time] | None = Field(None, description="when each is over")
    weekend: tuple[Name, ...] | None = Field(None, description='weekdays off: ["fri", "sat"]')
    all_of: tuple[Name, ...] | None = None
    any_of: tuple[Name, ...] | None = None
    until: _Day | None = Field(None, description="nothing is known after it")
    csv: _File | None = Field(None, description="`dates` as a file: a date and a name a line")
    ics: _File | None = Field(None, description="`dates` as the events of a calendar file")

    def written(self) -> dict[str, Any]:
        """The options that were given. Raises InvalidInput for a file that can't be read."""
        given = self.model_dump(exclude_unset=True)
        for kind in ("csv", "ics"):
            if (text := given.pop(kind, None)) is not None:
                given["dates"] = _read(kind, text) | actions.kept(given).get("dates", {})
        return given


def _read(kind: str, text: str) -> dict[str, str]:
    try:
        return dates_in(text, kind)
    except ValueError as error:
        raise InvalidInput([(f"body.{kind}", str(error))]) from None


class NewCalendar(CalendarOptions):
    """A calendar to make: its name, and which days it names."""

    name: Name = Field(validation_alias=AliasChoices("name", "id"))


class DeletedCalendar(Schema):
    """A calendar that was deleted."""

    name: str
    restore: str = Field(description="where to POST to bring it back")


class CalendarChanged(CalendarDetail):
    """A calendar that was edited."""

    followed: tuple[str, ...] = Field(description="the schedules that have a new version by it")


class WhyDeletedCalendar(Query):
    """Why a calendar is deleted."""

    reason: OptionalReason = None


@resource.get("/calendars")
def list_calendars(context: Context, query: YearQuery) -> CalendarList:
    """List the calendars, those in the definitions and by hand, with their holidays of a year."""
    year = query.year or context.now.year
    return context.read(calendars.list_calendars, context.registry, year)


@resource.get("/calendars/<name>")
def read_calendar(context: Context, name: str, query: YearQuery) -> CalendarDetail:
    """Return a calendar with its holidays of a year, and what was written of it."""
    return _find(context, name, query.year)


@resource.post("/calendars", Permission.SCHEDULE_EDIT, status=201)
def create_calendar(context: Context, body: NewCalendar) -> CalendarDetail:
    """Make a calendar by hand. Schedules by hand may go by it, and calendars by hand combine it."""
    written = body.written()
    name = written.pop("name")
    actions.make_calendar(context.database, context.act(), name, context.registry, written)
    return _find(context, name)


@resource.put("/calendars/<name>", Permission.SCHEDULE_EDIT)
def update_calendar(
    context: Context, name: str, body: CalendarOptions, revision: str | None
) -> CalendarChanged:
    """Edit a calendar that was made by hand: what is given changes, the rest stays.

    Schedules that go by it get a new version at once.
    """
    act, written = context.act(revision=revision), body.written()
    followed = actions.edit_calendar(context.database, act, name, context.registry, written)
    return CalendarChanged(**dict(_find(context, name)), followed=tuple(followed))


@resource.delete("/calendars/<name>", Permission.SCHEDULE_EDIT)
def delete_calendar(
    context: Context, name: str, query: WhyDeletedCalendar, revision: str | None
) -> DeletedCalendar:
    """Delete a calendar that was made by hand; refused while a schedule or calendar uses it."""
    act = context.act(reason=query.reason, revision=revision)
    actions.delete_calendar(context.database, act, name, context.registry)
    return DeletedCalendar(name=name, restore=f"{context.root}/calendars/{name}/restore")


@resource.post("/calendars/<name>/restore", Permission.SCHEDULE_EDIT)
def restore_calendar(context: Context, name: str) -> CalendarDetail:
    """Bring a deleted calendar back."""
    actions.restore_calendar(context.database, context.act(), name, context.registry)
    return _find(context, name)


def _find(context: Context, name: str, year: int | None = None) -> CalendarDetail:
    return context.read(calendars.get_calendar, context.registry, name, year or context.now.year)
