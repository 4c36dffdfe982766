"""The command on calendars: which there are, and the holidays of one."""

import click

from tick.cli.client import call
from tick.cli.output import show_json, show_list
from tick.cli.parameters import as_json, wants_json
from tick.interface.calendars import list_calendars, read_calendar
from tick.ops.queries.calendars import Calendar, Holiday


@click.command()
@click.argument("name", required=False)
@click.option("--year", type=click.IntRange(1900, 2199), help="Of which year; default: this one.")
@as_json
def calendars(name: str | None, year: int | None) -> None:
    """List the calendars of the definitions, or the holidays of NAME."""
    if name is not None:
        _show_holidays(call(read_calendar, calendar_name=name, year=year))
        return
    columns = {
        "name": "CALENDAR",
        "made_from": "MADE FROM",
        "known_until": "KNOWN UNTIL",
        "off": "WEEKEND",
        "count": "HOLIDAYS",
        "year": "IN",
    }
    found = call(list_calendars, year=year).items
    show_list(found, columns, "No calendar yet: see definitions/README.md.", _more)


def _more(calendar: Calendar) -> dict[str, object]:
    return {"off": ", ".join(calendar.weekend), "count": len(calendar.holidays)}


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
