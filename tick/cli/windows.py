"""The commands that keep everything from firing for a while: scheduler and windows."""

from datetime import datetime

import click

from tick.cli.common import (
    ID,
    as_json,
    if_revision,
    reason_option,
    say,
    show_json,
    show_table,
    tell_change,
)
from tick.cli.desk import open_desk
from tick.cli.instants import INSTANT
from tick.ops.schemas.system import WindowAdded


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
    with open_desk() as desk:
        changed = desk.stop_scheduler(reason=reason, expected=expected)
    tell_change(changed, f"The scheduler is stopped{'' if changed else ' already'}.", as_json)


@scheduler.command()
@if_revision
@as_json
def start(expected: str | None, as_json: bool) -> None:
    """Let schedules fire again, from now on."""
    with open_desk() as desk:
        changed = desk.start_scheduler(expected=expected)
    said = "The scheduler goes on." if changed else "The scheduler was not stopped."
    tell_change(changed, said, as_json)


@scheduler.command()
@as_json
def status(as_json: bool) -> None:
    """Say whether anything can fire now, and if not, why."""
    with open_desk() as desk:
        found = desk.status()
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
    with open_desk() as desk:
        found = desk.windows()
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
    with open_desk() as desk:
        window_id = desk.add_window(start, end, reason=reason)
    if as_json:
        show_json(WindowAdded(window_id=window_id))
    else:
        click.echo(f"Window {window_id} is planned; `tick windows end {window_id}` calls it off.")


@windows.command()
@click.argument("window_id", type=ID)
@if_revision
@as_json
def end(window_id: int, expected: str | None, as_json: bool) -> None:
    """End a window now, or call off one that is to come."""
    with open_desk() as desk:
        changed = desk.end_window(window_id, expected=expected)
    tell_change(changed, f"Window {window_id} {'is' if changed else 'was'} over.", as_json)
