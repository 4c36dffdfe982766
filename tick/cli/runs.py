"""The commands that show runs: the list, and what one logged."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from tick.cli.client import Client, open_client
from tick.cli.common import ID, as_json, harmless, show_json, show_line, show_table, tell_older
from tick.cli.completion import complete_groups, complete_jobs, complete_schedules
from tick.cli.instants import INSTANT
from tick.cli.known import OneOf, check_names
from tick.interface.occurrences import read_occurrence
from tick.interface.runs import list_runs, read_logs, read_run
from tick.ops.queries.logs import LogLine
from tick.ops.queries.runs import Run, RunDetail, RunPage
from tick.states import RunStatus
from tick.text import length

POLL_SECONDS = 0.5
FOLLOW_SECONDS = 20
"""How long a console waits for a line before it answers without one."""


@click.command()
@click.option("--schedule", shell_complete=complete_schedules, help="Only runs of this schedule.")
@click.option("--job", shell_complete=complete_jobs, help="Only runs of this job.")
@click.option("--group", shell_complete=complete_groups, help="Only runs of this group of jobs.")
@click.option("--status", type=OneOf(list(RunStatus)), help="Only runs in this state.")
@click.option("--worker", help="Only runs of this worker.")
@click.option("--since", type=INSTANT, help="Only runs queued since then.")
@click.option("--until", type=INSTANT, help="Only runs queued before then.")
@click.option("--text", help="Only runs with this in their name, error or reason.")
@click.option("--occurrence", type=ID, help="Only runs of this occurrence.")
@click.option("--before", type=ID, help="Only runs older than this id, to page on.")
@as_json
def runs(
    schedule: str | None,
    job: str | None,
    group: str | None,
    status: str | None,
    worker: str | None,
    since: datetime | None,
    until: datetime | None,
    text: str | None,
    occurrence: int | None,
    before: int | None,
    as_json: bool,
) -> None:
    """List the latest 50 runs, newest first."""
    chosen = {
        "status": status,
        "job": job,
        "group": group,
        "schedule": schedule,
        "worker": worker,
        "since": since,
        "until": until,
        "text": text,
        "before": before,
    }
    if occurrence is not None and any(value is not None for value in chosen.values()):
        raise click.UsageError("--occurrence goes alone: it lists all the runs of one.")
    with open_client() as client:
        now = client.now()
        if occurrence is not None:
            found = client.call(read_occurrence, occurrence_id=occurrence)
            page = RunPage(items=found.runs)
        else:
            page = client.call(list_runs, **chosen)
        if not page.items:
            check_names(client, schedule=schedule, job=job, group=group, worker=worker)
    if as_json:
        show_json(page.items)
    else:
        show_runs(page.items, now)
        tell_older(page)


def show_runs(found: Iterable[Run], now: datetime) -> None:
    """Print runs as a table."""
    columns = {
        "id": "RUN",
        "job_name": "JOB",
        "status": "STATUS",
        "trigger": "TRIGGER",
        "schedule_id": "SCHEDULE",
        "queued_at": "QUEUED (UTC)",
        "took": "TOOK",
        "reason": "REASON",
    }
    rows = [vars(run) | {"took": _took(run, now), "reason": _reason(run)} for run in found]
    show_table(columns, rows, "No runs: `tick run --all` makes some, a worker executes them.")


def _took(run: Run, now: datetime) -> str | None:
    if run.started_at is None or run.status is RunStatus.QUEUED:
        return None
    return length((run.finished_at or now) - run.started_at)


def _reason(run: Run) -> str | None:
    """What it lacks, the first line of its error, or why it is as it is."""
    error = ": ".join(part for part in (run.error_type, run.error_message) if part)
    return run.lacks or error.partition("\n")[0] or run.reason


@click.command()
@click.argument("run_id", type=ID)
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@as_json
def logs(run_id: int, follow: bool, as_json: bool) -> None:
    """Show what a run logged, and its error if it failed.

    With --follow and --json each line is a JSON object of its own, the last one the run.
    """
    with open_client() as client:
        if follow:
            for line in _follow(client, run_id):
                show_line(line) if as_json else _print(line)
            run = client.call_patiently(read_run, run_id=run_id).run
            show_line(run) if as_json else _print_end(run)
            return
        page = client.call(read_logs, run_id=run_id)
        run = client.call(read_run, run_id=run_id).run
    if as_json:
        show_json({"run": run, "lines": page.items, "cut": page.cut})
        return
    if page.cut:
        click.echo(f"This log is not whole: {page.cut:,} of its lines were cut.", err=True)
    for line in page.items:
        _print(line)
    _print_end(run)


def _follow(client: Client, run_id: int) -> Iterable[LogLine]:
    """The lines there are, and those that come until the run has ended."""
    page, last = client.call(read_logs, run_id=run_id), 0
    while True:
        yield from page.items
        if page.next is None:
            return
        if page.items:
            last = page.items[-1].id
        else:
            time.sleep(POLL_SECONDS)
        page = client.call_patiently(read_logs, run_id=run_id, after=last, wait=FOLLOW_SECONDS)


def _print(line: LogLine) -> None:
    at = line.at.astimezone(UTC)
    click.echo(f"{at:%Y-%m-%d %H:%M:%S} UTC {line.level:<9} {harmless(line.message)}")


def _print_end(run: RunDetail) -> None:
    if run.error_traceback:
        click.echo(harmless(run.error_traceback))
    reason = f" ({harmless(run.reason)})" if run.reason else ""
    click.echo(f"{run.job_name}: {run.status}{reason}")
