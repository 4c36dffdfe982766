"""The commands on backfills that ticks work off: how far they are, pause, resume, cancel."""

import time

import click

from tick.cli.client import Client, call, open_client
from tick.cli.output import say, show, show_list, tell_change, tell_older
from tick.cli.parameters import ID, as_json, wants_json
from tick.cli.waiting import POLL_SECONDS, progress_bar
from tick.interface import backfills as interface
from tick.interface.backfills import (
    cancel_backfill,
    list_backfills,
    pause_backfill,
    read_backfill,
    resume_backfill,
)
from tick.ops.queries.backfills import Backfill
from tick.states import Outcome
from tick.text import counted

_COLUMNS = {
    "id": "BACKFILL",
    "schedule_id": "OF",
    "state": "STATE",
    "since": "FROM (UTC)",
    "until": "TO (UTC)",
    "total": "INSTANTS",
    "done": "DONE",
    "failed": "FAILED",
    "running": "RUNNING",
    "queued": "QUEUED",
    "left": "LEFT",
    "expected_end": "EXPECTED END (UTC)",
    "waits_for": "WAITS, AS",
}


@click.group()
def backfills() -> None:
    """Backfills at work: how far they are, pause, resume, cancel.

    `tick backfill` begins one.
    """


@backfills.command("list")
@click.option("--schedule", help="Those of this schedule alone.")
@click.option("--before", type=ID, help="Only those older than this one, to page on.")
@as_json
def list_(schedule: str | None, before: int | None) -> None:
    """List the backfills, the newest first."""
    page = call(list_backfills, schedule=schedule, before=before)
    show_list(page.items, _COLUMNS, "No backfill yet: `tick backfill SCHEDULE_ID` begins one.")
    tell_older(page)


@backfills.command("show")
@click.argument("backfill_id", type=ID)
@as_json
def show_(backfill_id: int) -> None:
    """Show how far a backfill is."""
    show(call(read_backfill, backfill=backfill_id), _tell)


@backfills.command()
@click.argument("backfill_id", type=ID)
@as_json
def pause(backfill_id: int) -> None:
    """Queue nothing more of a backfill; what is queued goes on."""
    changed = call(pause_backfill, backfill=backfill_id).changed
    tell_change(changed, f"Backfill {backfill_id} is paused{'' if changed else ' already'}.")


@backfills.command()
@click.argument("backfill_id", type=ID)
@as_json
def resume(backfill_id: int) -> None:
    """Let a paused backfill go on where it stood."""
    changed = call(resume_backfill, backfill=backfill_id).changed
    tell_change(changed, f"Backfill {backfill_id} {'goes on' if changed else 'was not paused'}.")


@backfills.command()
@click.argument("backfill_id", type=ID)
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def cancel(backfill_id: int, yes: bool) -> None:
    """End a backfill: what has not begun never runs, what runs goes on."""
    aside = wants_json()
    with open_client() as client:
        found = client.call(read_backfill, backfill=backfill_id)
        if found.is_unfinished and not yes:
            waiting = counted(found.queued + found.left, "instant")
            click.confirm(f"{waiting} would never run. Cancel it?", abort=True, err=aside)
        show(client.call(cancel_backfill, backfill=backfill_id), _tell)


def wait_for_backfill(client: Client, found: Backfill) -> Backfill:
    """Return a backfill when it has ended. Ctrl-C ends the waiting, not the work."""
    with progress_bar() as bar:
        task = bar.add_task("", total=found.total)
        while found.is_unfinished:
            bar.update(task, completed=found.ended, description=found.waits_for or "")
            try:
                time.sleep(POLL_SECONDS)
            except KeyboardInterrupt:
                say(
                    f"\nNo longer waiting; ticks go on with it: `tick backfills show {found.id}`.",
                    err=True,
                )
                raise
            found = client.call_patiently(interface.read_backfill, backfill=found.id)
    return found


def outcomes_of(found: Backfill) -> list[Outcome]:
    """Return the outcomes that decide the exit status."""
    several = {Outcome.FAILED: found.failed, Outcome.CANCELLED: found.cancelled}
    return [outcome for outcome, count in several.items() if count]


def _tell(found: Backfill) -> None:
    say(
        f"Backfill {found.id} of {found.schedule_id} is {found.state}: {found.ended} of "
        f"{counted(found.total, 'instant')} done, {found.failed} of them failed; "
        f"{found.running} running, {found.queued} queued, {found.left} left."
    )
    beside = "beside its own" if found.overlap == "ALLOW" else "making way for its own"
    say(
        f"Begun by {found.created_by}: {found.since:%Y-%m-%d %H:%M} to "
        f"{found.until:%Y-%m-%d %H:%M} UTC, {found.max_parallel} at a time, {beside} firings."
    )
    if found.waits_for:
        say(f"It waits: {found.waits_for}.")
    if found.expected_end:
        say(f"At its pace it is over at {found.expected_end:%Y-%m-%d %H:%M} UTC.")
