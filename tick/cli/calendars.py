"""The command on calendars: which there are, and the holidays of one."""

from collections.abc import Iterable

import click

from tick.cli.client import call
from tick.cli.output import show_json, show_list
from tick.cli.parameters import as_json, wants_json
from tick.errors import NotFound
from tick.interface.calendars import list_calendars
from tick.ops.queries.calendars import Calendar, Holiday


@click.command()
@click.argument("name", required=False)
@click.option("--year", type=click.IntRange(1900, 2199), help="Of which year; default: this one.")
@as_json
def calendars(name: str | None, year: int | None) -> None:
    """List the calendars of the definitions, or the holidays of NAME."""
    found = call(list_calendars, year=year).items
    if name is not None:
        _show_holidays(_named(found, name))
        return
    columns = {
        "name": "CALENDAR",
        "made_from": "MADE FROM",
        "known_until": "KNOWN UNTIL",
        "off": "WEEKEND",
        "count": "HOLIDAYS",
        "year": "IN",
    }
    show_list(found, columns, "No calendar yet: see definitions/README.md.", _more)


def _more(calendar: Calendar) -> dict[str, object]:
    return {"off": ", ".join(calendar.weekend), "count": len(calendar.holidays)}


def _named(found: Iterable[Calendar], name: str) -> Calendar:
    calendar = next((each for each in found if each.name == name), None)
    if calendar is None:
        raise NotFound(f"No calendar is called {name!r}; `tick calendars` lists those there are.")
    return calendar


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
