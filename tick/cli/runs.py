"""The commands on runs: list, logs, cancel, retry."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click

from tick.cli.client import Client, call, open_client
from tick.cli.completion import name_option
from tick.cli.exit_status import ExitStatus
from tick.cli.name_check import check_names
from tick.cli.output import harmless, say, show_json, show_line, show_list, tell, tell_older
from tick.cli.parameters import ID, INSTANT, OneOf, as_json, reason_option, wants_json
from tick.cli.waiting import tell_started, wait_option
from tick.interface.batches import cancel_runs, retry_runs
from tick.interface.occurrences import cancel_occurrence, read_occurrence, retry_occurrence
from tick.interface.runs import cancel_run, list_runs, read_logs, read_run, retry_run
from tick.ops.actions.batches import BatchDone
from tick.ops.queries.logs import LogLine
from tick.ops.queries.runs import Run, RunDetail, RunPage
from tick.states import RunStatus
from tick.text import counted, length

POLL_SECONDS = 0.5
FOLLOW_SECONDS = 20
"""How long a console waits for a line before it answers without one."""
_NAMES = ("schedule", "job", "group", "worker")


@click.command()
@name_option("schedule", "Only runs of this schedule.")
@name_option("job", "Only runs of this job.")
@name_option("group", "Only runs of this group of jobs.")
@click.option("--status", type=OneOf(list(RunStatus)), help="Only runs in this state.")
@click.option("--worker", help="Only runs of this worker.")
@click.option("--since", type=INSTANT, help="Only runs queued since then.")
@click.option("--until", type=INSTANT, help="Only runs queued before then.")
@click.option("--text", help="Only runs with this in their name, error or reason.")
@click.option("--occurrence", type=ID, help="Only runs of this occurrence.")
@click.option("--before", type=ID, help="Only runs older than this id, to page on.")
@as_json
def runs(occurrence: int | None, **chosen: Any) -> None:
    """List the latest 50 runs, newest first."""
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
            check_names(client, **{name: chosen[name] for name in _NAMES})
    show_runs(page.items, now)
    tell_older(page)


def show_runs(found: tuple[Run, ...], now: datetime) -> None:
    """Print runs, as JSON or as a table."""
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
    empty = "No runs: `tick run --all` makes some, a worker executes them."
    show_list(found, columns, empty, lambda run: {"took": _took(run, now), "reason": _reason(run)})


def _took(run: Run, now: datetime) -> str | None:
    # A run that waits for another attempt still has the start of the one before.
    if run.started_at is None or run.status is RunStatus.QUEUED:
        return None
    return length((run.finished_at or now) - run.started_at)


def _reason(run: Run) -> str | None:
    """Return what it lacks, the first line of its error, or why it is as it is."""
    error = ": ".join(part for part in (run.error_type, run.error_message) if part)
    return run.lacks or error.partition("\n")[0] or run.reason


@click.command()
@click.argument("run_id", type=ID)
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@as_json
def logs(run_id: int, follow: bool) -> None:
    """Show what a run logged, and its error if it failed.

    With --follow and --json each line is a JSON object of its own, the last one the run.
    """
    with open_client() as client:
        if follow:
            for line in _follow(client, run_id):
                show_line(line) if wants_json() else _print(line)
            run = client.call_patiently(read_run, run_id=run_id).run
            show_line(run) if wants_json() else _print_end(run)
            return
        page = client.call(read_logs, run_id=run_id)
        run = client.call(read_run, run_id=run_id).run
    if wants_json():
        show_json({"run": run, "lines": page.items, "cut": page.cut})
        return
    if page.cut:
        click.echo(f"This log is not whole: {page.cut:,} of its lines were cut.", err=True)
    for line in page.items:
        _print(line)
    _print_end(run)


def _follow(client: Client, run_id: int) -> Iterable[LogLine]:
    """Yield the lines there are, and those that come until the run has ended."""
    page, last = client.call(read_logs, run_id=run_id), 0
    while True:
        yield from page.items
        if page.next is None:
            return
        if page.items:
            last = page.items[-1].id
        else:
            # Only the JSON API waits for a line; asked in this process, it answers at once.
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


@click.command()
@click.argument("run_id", type=ID, nargs=-1)
@click.option("--occurrence", type=ID, help="All of it that has not ended.")
@reason_option("Why; stands at the runs and in the audit.")
@as_json
def cancel(run_id: tuple[int, ...], occurrence: int | None, reason: str | None) -> None:
    """Cancel runs, or --occurrence ID.

    What is queued is cancelled at once; a job that runs is asked to stop.
    """
    _want_one_kind(run_id, occurrence)
    if occurrence is not None:
        with open_client() as client:
            count = client.call(cancel_occurrence, occurrence_id=occurrence, reason=reason).runs
            said = f"Occurrence {occurrence}: {counted(count, 'run')} cancelled or asked to stop."
            tell(client.call(read_occurrence, occurrence_id=occurrence), said)
    elif len(run_id) == 1:
        found = call(cancel_run, run_id=run_id[0], reason=reason)
        ended = found.status is RunStatus.CANCELLED
        said = "is cancelled" if ended else "is asked to stop"
        tell(found, f"Run {found.id} ({found.job_name}) {said}.")
    else:
        batch = call(cancel_runs, run_ids=run_id, reason=reason)
        _tell_batch("Cancelled or asked to stop", batch)


@click.command()
@click.argument("run_id", type=ID, nargs=-1)
@click.option("--occurrence", type=ID, help="What failed in it, and what was skipped for that.")
@click.option(
    "--only",
    is_flag=True,
    help="Without what was skipped because of it; its occurrence then ends as FAILED.",
)
@click.option("--override-overlap", is_flag=True, help="Even while its schedule still runs.")
@reason_option("Why; stands at the runs and in the audit.")
@wait_option
@as_json
def retry(
    run_id: tuple[int, ...], occurrence: int | None, only: bool, wait: bool, **how: Any
) -> None:
    """Run again what ended badly, runs or an occurrence's.

    RUN_ID puts back that run, and down the line what was skipped because of it; --occurrence ID all
    that failed or was cancelled in it, likewise. They stay the same runs, and their attempts go on
    being numbered.
    """
    _want_one_kind(run_id, occurrence)
    if only and occurrence is not None:
        raise click.UsageError("--only goes with RUN_ID, not with --occurrence.")
    if wait and len(run_id) > 1:
        raise click.UsageError("--wait goes with one RUN_ID or with --occurrence.")
    if len(run_id) > 1:
        _tell_batch("Back in the queue", call(retry_runs, run_ids=run_id, only=only, **how))
        return
    with open_client() as client:
        if occurrence is not None:
            ids = client.call(retry_occurrence, occurrence_id=occurrence, **how).run_ids
            numbers = ", ".join(map(str, ids))
            said = f"Back in the queue: {numbers}" if ids else "It is in the queue already, or runs"
        else:
            found = client.call(retry_run, run_id=run_id[0], only=only, **how)
            occurrence = found.occurrence_id
            along = f", with {counted(len(found.put_back) - 1, 'run')} skipped because of it"
            more = along if found.put_back[1:] else ""
            said = f"Run {found.id} ({found.job_name}) is {found.status}{more}"
        if wait or wants_json():
            tell_started(client, occurrence, wait=wait)
        else:
            click.echo(f"{said}.")


def _want_one_kind(run_ids: tuple[int, ...], occurrence: int | None) -> None:
    if bool(run_ids) == (occurrence is not None):
        raise click.UsageError("Name either RUN_ID or --occurrence.")


def _tell_batch(said: str, batch: BatchDone) -> None:
    """Say what became of many; a refusal among them is exit status 1."""
    tell(batch, f"{said}: {', '.join(map(str, batch.done)) or 'none'}.")
    for reason in batch.refused.values():
        say(reason, err=True)
    if batch.refused:
        raise SystemExit(ExitStatus.FAILED)
