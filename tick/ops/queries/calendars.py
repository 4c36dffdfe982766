"""The calendars of the definitions, as people read them."""

from datetime import date, time

from pydantic import Field

from tick.define.calendar_days import ExpandedCalendars
from tick.ops.schemas import Page, Schema
from tick.policy.business_days import BusinessDays

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Holiday(Schema):
    """A day off with a name, or a half day."""

    date: date
    name: str
    estimated: bool = Field(description="it hangs on the moon, or on an announcement to come")


class Calendar(Schema):
    """A calendar: when it is known, and its holidays of one year."""

    name: str
    made_from: str = Field(description="the library and its version, files, own dates")
    known_from: date
    known_until: date = Field(description="after it, only weekdays decide, and firings say so")
    weekend: tuple[str, ...]
    year: int
    holidays: tuple[Holiday, ...] = Field(description="of the year, half days with their end")
    working_weekends: tuple[date, ...] = Field(description="of the year: days that make up")


class CalendarList(Page[Calendar]):
    """All calendars of the definitions, by name."""


def list_calendars(known: ExpandedCalendars, year: int) -> CalendarList:
    """Return all calendars with their holidays of a year."""
    items = (_calendar(known, days, year) for _, days in sorted(known.days.items()))
    return CalendarList(items=tuple(items))


def _calendar(known: ExpandedCalendars, days: BusinessDays, year: int) -> Calendar:
    named = [(day, name) for name, texts in days.holidays for day in _dates(texts, year)]
    named += [
        (day, f"half day, over at {time.fromisoformat(at):%H:%M}")
        for at, texts in days.half_days
        for day in _dates(texts, year)
    ]
    estimated = set(_dates(days.estimated, year))
    return Calendar(
        name=days.calendar,
        made_from=known.made_from.get(days.calendar, ""),
        known_from=date.fromisoformat(days.first),
        known_until=date.fromisoformat(days.until),
        weekend=tuple(_WEEKDAYS[number] for number in days.weekend),
        year=year,
        holidays=tuple(
            Holiday(date=day, name=name, estimated=day in estimated) for day, name in sorted(named)
        ),
        working_weekends=tuple(_dates(days.make_up_days, year)),
    )


def _dates(text: str, year: int) -> list[date]:
    return [date.fromisoformat(day) for day in text.split() if day.startswith(f"{year:04}")]
