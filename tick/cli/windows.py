"""The commands that keep everything from firing for a while: scheduler and windows."""

from datetime import datetime, timedelta

import click

from tick.cli.client import call
from tick.cli.completion import name_option
from tick.cli.output import say, show_json, show_list, tell, tell_change
from tick.cli.parameters import (
    ID,
    INSTANT,
    LENGTH,
    OneOf,
    as_json,
    if_revision,
    reason_option,
    wants_json,
)
from tick.interface.scheduler import read_status
from tick.interface.windows import (
    add_window,
    end_window,
    list_windows,
    start_scheduler,
    stop_scheduler,
)
from tick.ops.queries.windows import MaintenanceWindow
from tick.states import AfterWindow


@click.group()
def scheduler() -> None:
    """Stop the scheduler, or start it again."""


@scheduler.command()
@reason_option("Why, for whoever finds everything quiet.", required=True)
@if_revision
@as_json
def stop(reason: str, revision: str | None) -> None:
    """Let nothing fire until it is started; what is queued goes on.

    What falls due meanwhile is BLACKOUT in the ledger, and does not fire afterwards.
    """
    changed = call(stop_scheduler, reason=reason, revision=revision).changed
    tell_change(changed, f"The scheduler is stopped{'' if changed else ' already'}.")


@scheduler.command()
@if_revision
@as_json
def start(revision: str | None) -> None:
    """Let schedules fire again, from now on."""
    changed = call(start_scheduler, revision=revision).changed
    tell_change(changed, f"The scheduler {'goes on' if changed else 'was not stopped'}.")


@scheduler.command()
@as_json
def status() -> None:
    """Say whether anything can fire now, and if not, why."""
    found = call(read_status)
    if wants_json():
        show_json(found.model_dump(mode="json", include={"stands", "stands_because", "revision"}))
    else:
        say(f"Nothing fires: {found.stands_because}" if found.stands else "Schedules fire.")


@click.group()
def windows() -> None:
    """Maintenance windows: times in which nothing fires."""


@windows.command("list")
@as_json
def list_() -> None:
    """List the windows, those to come first."""
    columns = {
        "id": "WINDOW",
        "phase": "PHASE",
        "schedule_id": "SCHEDULE",
        "starts_at": "FROM (UTC)",
        "ends_at": "TO (UTC)",
        "recurs": "RECURS",
        "then": "THEN",
        "created_by": "BY",
        "reason": "REASON",
        "label": "LABEL",
        "name": "IN CODE",
    }
    empty = "No window yet: `tick windows add` plans one."
    show_list(call(list_windows).items, columns, empty, _more)


def _more(window: MaintenanceWindow) -> dict[str, object]:
    return {"recurs": window.weekly or window.cron}


@windows.command()
@click.option("--from", "start", type=INSTANT, help="When it begins.")
@click.option("--to", "end", type=INSTANT, help="When it ends, or recurs no more.")
@click.option("--schedule", "schedule_id", help="The schedule that is not to fire; without: all.")
@name_option("label", "Or the label of those that are not to fire.")
@click.option("--weekly", help="Its times by the clock: 'Sun 02:00-04:00', 'Mon-Fri 22:00-06:00'.")
@click.option("--every-cron", "cron", help="When it begins each time, such as '0 2 * * 0'.")
@click.option("--for", "length", type=LENGTH, help="How long it lasts each time.")
@click.option("--timezone", help="Of --weekly or --every-cron; UTC unless it is given.")
@click.option(
    "--then",
    type=OneOf([each.value for each in AfterWindow]),
    default=AfterWindow.SKIP.value,
    show_default=True,
    help="Whether what is due in it runs after it, the newest for all.",
)
@reason_option("Why, for whoever finds everything quiet.", required=True)
@as_json
def add(
    start: datetime | None, end: datetime | None, length: timedelta | None, **given: str | None
) -> None:
    """Plan a time in which nothing fires, once or again and again.

    Once takes --from and --to; again and again --weekly, or --every-cron and --for. For example:
    tick windows add --label finance --weekly 'Sun 02:00-04:00' --reason backups
    """
    seconds = length and length.total_seconds()
    added = call(add_window, starts_at=start, ends_at=end, length_seconds=seconds, **given)
    number = added.window_id
    tell(added, f"Window {number} is planned; `tick windows end {number}` calls it off.")


@windows.command()
@click.argument("window_id", type=ID)
@if_revision
@as_json
def end(window_id: int, revision: str | None) -> None:
    """End a window now, and for good, or call off one that is to come."""
    changed = call(end_window, window=window_id, revision=revision).changed
    tell_change(changed, f"Window {window_id} {'is' if changed else 'was'} over.")
