"""Calendars: which days of the definitions' calendars are no business days."""

from pydantic import Field

from tick.interface.inputs import Query
from tick.interface.operation import Context, Resource
from tick.ops.queries import calendars
from tick.ops.queries.calendars import CalendarList

resource = Resource("calendars", "Calendars, by which schedules know holidays and weekends.")


class YearQuery(Query):
    """Of which year."""

    year: int | None = Field(None, ge=1900, le=2199, description="default: this year, in UTC")


@resource.get("/calendars")
def list_calendars(context: Context, query: YearQuery) -> CalendarList:
    """List the calendars of the definitions with their holidays of a year."""
    known = context.registry.calendars
    return calendars.list_calendars(known, query.year or context.now.year)
