"""The commands that keep everything from firing for a while: scheduler and windows."""

from datetime import datetime

import click

from tick.cli.client import open_client
from tick.cli.output import say, show_json, show_table, tell_change
from tick.cli.parameters import ID, INSTANT, as_json, if_revision, reason_option
from tick.interface.scheduler import read_status
from tick.interface.windows import (
    add_window,
    end_window,
    list_windows,
    start_scheduler,
    stop_scheduler,
)


@click.group()
def scheduler() -> None:
    """Stop the scheduler, or start it again."""


@scheduler.command()
@reason_option("Why, for whoever finds everything quiet.", required=True)
@if_revision
@as_json
def stop(reason: str, expected: str | None, as_json: bool) -> None:
    """Let nothing fire until it is started; what is queued goes on.

    What falls due meanwhile is BLACKOUT in the ledger, and does not fire afterwards.
    """
    with open_client() as client:
        changed = client.call(stop_scheduler, reason=reason, revision=expected).changed
    tell_change(changed, f"The scheduler is stopped{'' if changed else ' already'}.", as_json)


@scheduler.command()
@if_revision
@as_json
def start(expected: str | None, as_json: bool) -> None:
    """Let schedules fire again, from now on."""
    with open_client() as client:
        changed = client.call(start_scheduler, revision=expected).changed
    said = "The scheduler goes on." if changed else "The scheduler was not stopped."
    tell_change(changed, said, as_json)


@scheduler.command()
@as_json
def status(as_json: bool) -> None:
    """Say whether anything can fire now, and if not, why."""
    with open_client() as client:
        found = client.call(read_status)
    if as_json:
        show_json(found.model_dump(mode="json", include={"stands", "stands_because", "revision"}))
    else:
        say(f"Nothing fires: {found.stands_because}" if found.stands else "Schedules fire.")


@click.group()
def windows() -> None:
    """Maintenance windows: times in which nothing fires."""


@windows.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the windows, those to come first."""
    with open_client() as client:
        found = client.call(list_windows).items
    if as_json:
        show_json(found)
        return
    columns = {
        "id": "WINDOW",
        "phase": "PHASE",
        "starts_at": "FROM (UTC)",
        "ends_at": "TO (UTC)",
        "created_by": "BY",
        "reason": "REASON",
    }
    rows = [vars(row) for row in found]
    show_table(columns, rows, "No window yet: `tick windows add` plans one.")


@windows.command()
@click.option("--from", "start", type=INSTANT, required=True, help="When it begins.")
@click.option("--to", "end", type=INSTANT, required=True, help="When it ends.")
@reason_option("Why, for whoever finds everything quiet.", required=True)
@as_json
def add(start: datetime, end: datetime, reason: str, as_json: bool) -> None:
    """Plan a time in which nothing fires."""
    with open_client() as client:
        added = client.call(add_window, starts_at=start, ends_at=end, reason=reason)
    if as_json:
        show_json(added)
    else:
        number = added.window_id
        click.echo(f"Window {number} is planned; `tick windows end {number}` calls it off.")


@windows.command()
@click.argument("window_id", type=ID)
@if_revision
@as_json
def end(window_id: int, expected: str | None, as_json: bool) -> None:
    """End a window now, or call off one that is to come."""
    with open_client() as client:
        changed = client.call(end_window, window=window_id, revision=expected).changed
    tell_change(changed, f"Window {window_id} {'is' if changed else 'was'} over.", as_json)
