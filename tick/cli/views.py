"""The commands that show: status, jobs, occurrences, one occurrence, the audit."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from tick.cli.client import Client, open_client
from tick.cli.common import ID, as_json, say, show_json, show_line, show_table, tell_older
from tick.cli.completion import complete_schedules
from tick.cli.instants import INSTANT
from tick.cli.known import OneOf, check_names
from tick.cli.runs import show_runs
from tick.cli.statuses import ExitStatus
from tick.interface.audit import list_audit
from tick.interface.inputs import arguments_of
from tick.interface.jobs import list_jobs
from tick.interface.occurrences import list_occurrences, read_occurrence
from tick.interface.scheduler import read_status
from tick.ops.queries.audit import AuditEntry
from tick.ops.queries.occurrences import Occurrence
from tick.ops.queries.scheduler import SchedulerStatus, TickSource
from tick.states import Outcome
from tick.text import length


@click.command()
@as_json
def status(as_json: bool) -> None:
    """Say whether the system ticks and works.

    Exit status 1 when ticks are late or never came, or when a clock ahead keeps schedules silent.
    """
    with open_client() as client:
        found = client.call(read_status)
    if as_json:
        show_json(found)
    else:
        _show_status(found)
    if found.ticks_are_late or found.last_tick_at is None or found.ahead_to:
        raise SystemExit(ExitStatus.FAILED)


def _show_status(found: SchedulerStatus) -> None:
    if found.last_tick_at is None:
        synced = found.synced_at and f"; a sync decided what was due at {found.synced_at:%H:%M} UTC"
        click.echo(f"No tick yet{synced or ''}: `tick now` makes one.")
    else:
        age = round((found.now - found.last_tick_at).total_seconds())
        click.echo(
            f"Last tick {length(age)} ago by {found.last_tick_source}, "
            f"{_in_time(found.ticks_are_late)}: {_usual(found)}."
        )
    if found.ahead_to is not None:
        say(f"Schedules are silent until {found.ahead_to:%Y-%m-%d %H:%M} UTC: a clock was ahead.")
        click.echo("Set it right, then `tick resume --from-now --all` brings them back.")
    if found.ticks_are_late:
        click.echo("Start or mend what ticks: `tick doctor` says more.")
    for each in found.sources if len(found.sources) > 1 else ():
        click.echo(f"  {each.source}: {_usual(each)}, {_in_time(each.late)}")
    if found.stands:
        say(f"Nothing fires: {found.stands_because}.")
    if found.last_tick_error:
        say(f"The last tick failed: {found.last_tick_error}")
    click.echo(f"Workers: {found.workers}. Runs at work: {found.running}, waiting: {found.queued}.")


def _usual(ticks: SchedulerStatus | TickSource) -> str:
    return (
        f"one comes every {length(ticks.usual_seconds)}"
        if ticks.learned
        else "too few to know how often one comes"
    )


def _in_time(late: bool) -> str:
    return "late" if late else "in time"


@click.command()
@as_json
def jobs(as_json: bool) -> None:
    """List the jobs with their latest runs."""
    with open_client() as client:
        found = client.all(list_jobs)
    if as_json:
        show_json(found)
        return
    columns = {
        "name": "JOB",
        "group": "GROUP",
        "depends": "DEPENDS ON",
        "queue": "QUEUE",
        "last": "LAST",
        "at": "QUEUED (UTC)",
        "description": "DOES",
    }
    rows = [
        vars(job)
        | {
            "depends": ", ".join(job.depends_on) or None,
            "last": job.latest_run and job.latest_run.status,
            "at": job.latest_run and job.latest_run.queued_at,
        }
        for job in found
    ]
    show_table(columns, rows, "No jobs yet: see definitions/README.md.")


@click.command()
@click.argument("schedule_id", required=False, shell_complete=complete_schedules)
@click.option("--outcome", type=OneOf(list(Outcome)), help="Only these.")
@click.option("--before", type=ID, help="Only those older than this id, to page on.")
@as_json
def ledger(schedule_id: str | None, outcome: str | None, before: int | None, as_json: bool) -> None:
    """List what fired and what did not, newest first.

    The latest 50 occurrences, of SCHEDULE_ID or of all schedules.
    """
    with open_client() as client:
        page = client.call(list_occurrences, schedule=schedule_id, outcome=outcome, before=before)
        if not page.items:
            check_names(client, schedule=schedule_id)
    if as_json:
        show_json(page.items)
    else:
        _show_occurrences(page.items)
        tell_older(page)


def _show_occurrences(found: Sequence[Occurrence]) -> None:
    columns = {
        "id": "OCCURRENCE",
        "name": "OF",
        "scheduled_for": "INSTANT (UTC)",
        "count": "INSTANTS",
        "outcome": "OUTCOME",
        "done": "SUCCEEDED",
        "triggered_by": "BY",
        "reason": "REASON",
    }
    rows = [
        vars(row) | {"done": f"{row.succeeded} of {row.runs}" if row.runs else None}
        for row in found
    ]
    show_table(columns, rows, "Nothing is in the ledger: `tick enable SCHEDULE` switches one on.")


@click.command()
@click.argument("occurrence_id", type=ID)
@as_json
def occurrence(occurrence_id: int, as_json: bool) -> None:
    """Show an occurrence and its runs."""
    with open_client() as client:
        found = client.call(read_occurrence, occurrence_id=occurrence_id)
        now = client.now()
    if as_json:
        show_json(found)
        return
    _show_occurrences([found.occurrence])
    if found.runs:
        show_runs(found.runs, now)


@click.command()
@click.option("--subject", help="Only changes of what has this id.")
@click.option("--actor", help="Only changes by this person or token:NAME.")
@click.option(
    "--action", help="Only such changes: `schedule.enable`, or `schedule.` for all of them."
)
@click.option("--since", type=INSTANT, help="Only changes since then.")
@click.option("--until", type=INSTANT, help="Only changes before then.")
@click.option("--before", type=ID, help="Only those older than this id, to page on.")
@click.option("--export", is_flag=True, help="Print all of them, a JSON object a line.")
@as_json
def audit(
    subject: str | None,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    export: bool,
    as_json: bool,
) -> None:
    """List who changed what and why, newest first."""
    chosen = {
        "subject": subject,
        "actor": actor,
        "action": action,
        "since": since,
        "until": until,
        "before": before,
    }
    with open_client() as client:
        if export:
            for entry in _all_changes(client, chosen):
                show_line(entry)
            return
        page = client.call(list_audit, **chosen)
    if as_json:
        show_json(page.items)
        return
    columns = {
        "id": "ID",
        "at": "AT (UTC)",
        "actor": "BY",
        "action": "ACTION",
        "subject": "OF",
        "reason": "REASON",
    }
    show_table(columns, [vars(entry) for entry in page.items], "No such change.")
    tell_older(page)


def _all_changes(client: Client, chosen: Mapping[str, Any]) -> Iterator[AuditEntry]:
    asked = dict(chosen)
    while True:
        page = client.call(list_audit, **asked)
        yield from page.items
        if page.next is None:
            return
        asked |= arguments_of(page.next)
