"""`tick next`: what fires next."""

import click

from tick.cli.client import call
from tick.cli.output import local, show_list
from tick.cli.parameters import as_json, count_option
from tick.interface.scheduler import read_upcoming


@click.command()
@count_option(20, 200, "How many lines.")
@click.option("--every", is_flag=True, help="Every instant of each, not only its next one.")
@click.option("--with-off", is_flag=True, help="Also schedules that are off, paused or removed.")
@as_json
def next(count: int, every: bool, with_off: bool) -> None:
    """Show what fires next, over all schedules."""
    found = call(read_upcoming, count=count, with_off=with_off, once_each=not every).items
    columns = {"at": "AT (UTC)", "schedule_id": "SCHEDULE", "local": "LOCAL", "fires": "FIRES"}
    if any(item.blackout for item in found):
        columns["blackout"] = "BLACKOUT"
    if any(item.nominal_for for item in found):
        columns["nominal_for"] = "MOVED FROM (UTC)"
    if any(item.held_until for item in found):
        columns["held_until"] = "HELD UNTIL (UTC)"
    empty = "Nothing is to come: `tick enable SCHEDULE` switches one on."
    show_list(found, columns, empty, lambda item: {"local": local(item.at, item.timezone)})
