"""The commands on calendars: which there are, the holidays of one, and those made by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tick.cli.client import call
from tick.cli.output import show_json, show_list, tell
from tick.cli.parameters import as_json, if_revision, named_value, reason_option, wants_json
from tick.define.calendar_files import read_holidays
from tick.define.calendars_by_hand import as_dates
from tick.interface.calendars import (
    CalendarOptions,
    NewCalendar,
    create_calendar,
    delete_calendar,
    list_calendars,
    read_calendar,
    restore_calendar,
    update_calendar,
)
from tick.interface.inputs import parse
from tick.ops.queries.calendars import Calendar, Holiday

_Command = Callable[..., None]
_YEAR = click.IntRange(1900, 2199)
_OPTIONS = (
    click.option("--country", help="Public holidays of a country, by two letters."),
    click.option("--subdivision", help="Of which part of it; 'national' for none."),
    click.option("--category", "categories", multiple=True, help="What counts as a holiday there."),
    click.option("--date", "dates", multiple=True, metavar="DAY=NAME", help="A holiday."),
    click.option(
        "--file",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Holidays from a .csv (a date and a name a line) or .ics file.",
    ),
    click.option("--working", multiple=True, metavar="DAY", help="No holiday after all."),
    click.option(
        "--half-day", "half_days", multiple=True, metavar="DAY=TIME", help="When a day is over."
    ),
    click.option("--weekend", multiple=True, metavar="WEEKDAY", help="A weekday off, as in 'fri'."),
    click.option("--all-of", multiple=True, metavar="NAME", help="A business day if it is in all."),
    click.option("--any-of", multiple=True, metavar="NAME", help="A business day if it is in any."),
    click.option("--until", metavar="DAY", help="Nothing is known after it."),
)


@click.command()
@click.argument("name", required=False)
@click.option("--year", type=_YEAR, help="Of which year; default: this one.")
@as_json
def calendars(name: str | None, year: int | None) -> None:
    """List the calendars, or the holidays of NAME."""
    if name is not None:
        _show_holidays(call(read_calendar, name=name, year=year))
        return
    columns = {
        "name": "CALENDAR",
        "made_from": "MADE FROM",
        "known_until": "KNOWN UNTIL",
        "off": "WEEKEND",
        "count": "HOLIDAYS",
        "year": "IN",
    }
    empty = "No calendar yet: `tick calendar add` makes one, and see definitions/README.md."
    show_list(call(list_calendars, year=year).items, columns, empty, _more)


def _more(calendar: Calendar) -> dict[str, object]:
    off = calendar.mistake or ", ".join(calendar.weekend)
    return {"off": off, "count": len(calendar.holidays)}


def _show_holidays(calendar: Calendar) -> None:
    if wants_json():
        show_json(calendar.as_dict())
        return
    columns = {"date": "DATE", "day": "DAY", "name": "HOLIDAY", "estimate": "NOTE"}
    empty = f"{calendar.name} has no holiday in {calendar.year}."
    show_list(calendar.holidays, columns, empty, _more_of_holiday)


def _more_of_holiday(holiday: Holiday) -> dict[str, object]:
    return {
        "day": f"{holiday.date:%A}",
        "estimate": "estimated" if holiday.estimated else None,
    }


@click.group()
def calendar() -> None:
    """Calendars by hand, which schedules by hand may go by."""


def _options(command: _Command) -> _Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@calendar.command()
@click.argument("name")
@_options
@as_json
def add(name: str, **options: Any) -> None:
    """Make the calendar NAME."""
    found = call(create_calendar, body=parse(NewCalendar, _given(options) | {"name": name}, "body"))
    tell(found, f"Calendar {name} was made; `tick calendars {name}` shows its holidays.")


@calendar.command()
@click.argument("name")
@_options
@click.option("--without", multiple=True, metavar="OPTION", help="Take an option away: half_days.")
@if_revision
@as_json
def edit(name: str, revision: str | None, without: tuple[str, ...], **options: Any) -> None:
    """Edit the calendar NAME: what is given takes the place of what was, the rest stays.

    Schedules that go by it follow at once.
    """
    given = dict.fromkeys(without) | _given(options)
    body = parse(CalendarOptions, given, "body")
    found = call(update_calendar, name=name, revision=revision, body=body)
    count = len(found.followed)
    followed = f"; these follow: {', '.join(found.followed)}" if count else ""
    tell(found, f"Calendar {name} is written{followed}.")


@calendar.command()
@click.argument("name")
@reason_option("Why; kept in the audit.")
@if_revision
@as_json
def delete(name: str, reason: str | None, revision: str | None) -> None:
    """Delete the calendar NAME, if nothing uses it."""
    found = call(delete_calendar, name=name, revision=revision, reason=reason)
    tell(found, f"{name} was deleted; `tick calendar restore {name}` brings it back.")


@calendar.command()
@click.argument("name")
@as_json
def restore(name: str) -> None:
    """Bring back the calendar NAME, which was deleted."""
    tell(call(restore_calendar, name=name), f"Calendar {name} is back.")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, by the names of the interface."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    for name in ("dates", "half_days"):
        if name in given:
            given[name] = dict(map(named_value, given[name]))
    if (path := given.pop("file", None)) is not None:
        given["dates"] = _read(path) | given.get("dates", {})
    return given


def _read(path: Path) -> dict[str, str]:
    try:
        return as_dates(read_holidays(path))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--file {path.name!r} can't be read: {error}.") from None
