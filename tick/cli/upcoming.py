"""`tick next`: what fires next."""

import click

from tick.cli.client import open_client
from tick.cli.output import local, show_json, show_table
from tick.cli.parameters import as_json
from tick.interface.scheduler import read_upcoming


@click.command("next")
@click.option(
    "-n",
    "count",
    default=20,
    show_default=True,
    type=click.IntRange(1, 200),
    help="How many lines.",
)
@click.option("--every", is_flag=True, help="Every instant of each, not only its next one.")
@click.option("--with-off", is_flag=True, help="Also schedules that are off, paused or removed.")
@as_json
def next_(count: int, every: bool, with_off: bool, as_json: bool) -> None:
    """Show what fires next, over all schedules."""
    with open_client() as client:
        found = client.call(
            read_upcoming, count=count, with_off=with_off, once_each=not every
        ).items
    if as_json:
        show_json(found)
        return
    rows = [vars(item) | {"local": local(item.at, item.timezone)} for item in found]
    columns = {"at": "AT (UTC)", "schedule_id": "SCHEDULE", "local": "LOCAL", "fires": "FIRES"}
    if any(item.blackout for item in found):
        columns["blackout"] = "BLACKOUT"
    show_table(columns, rows, "Nothing is to come: `tick enable SCHEDULE` switches one on.")
