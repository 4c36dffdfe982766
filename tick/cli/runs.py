"""The commands on runs: start, list, read the log, cancel."""

import time

import click

from tick.cli.common import as_json, author, ready_runtime, show_json, show_table
from tick.ops import control
from tick.ops.queries import logs as log_queries
from tick.ops.queries import runs as queries
from tick.ops.queries.occurrences import get_occurrence
from tick.runtime import Runtime
from tick.states import LIVE_OUTCOMES, Outcome, RunStatus

POLL_SECONDS = 0.5


@click.command()
@click.argument("schedule_id", required=False)
@click.option("--job", help="One job, without what it depends on.")
@click.option("--group", help="The jobs of a group, in dependency order.")
@click.option("--all", "everything", is_flag=True, help="All jobs, in dependency order.")
@click.option("--override-overlap", is_flag=True, help="Even while the schedule still runs.")
@click.option("--wait", is_flag=True, help="Wait for the end; exit status 1 unless it is good.")
@as_json
def run(
    schedule_id: str | None,
    job: str | None,
    group: str | None,
    everything: bool,
    override_overlap: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Run now: SCHEDULE_ID, --job NAME, --group NAME or --all. A worker does the work.

    No schedule's next instant moves.
    """
    if sum([schedule_id is not None, job is not None, group is not None, everything]) != 1:
        raise click.UsageError("name exactly one of SCHEDULE_ID, --job, --group and --all.")
    with ready_runtime() as runtime:
        now, who, database = runtime.now(), author(), runtime.database
        if schedule_id is not None:
            occurrence = control.run_schedule(
                database, schedule_id, now=now, author=who, override_overlap=override_overlap
            )
        elif job is not None:
            occurrence = control.run_job(database, runtime.registry, job, now=now, author=who)
        elif group is not None:
            occurrence = control.run_group(database, runtime.registry, group, now=now, author=who)
        else:
            occurrence = control.run_all(database, runtime.registry, now=now, author=who)
        outcome = _wait(runtime, occurrence) if wait else None
    if as_json:
        show_json({"occurrence": occurrence, "outcome": outcome})
    else:
        said = f"Occurrence {occurrence} is enqueued" if outcome is None else outcome
        click.echo(f"{said}; `tick runs --occurrence {occurrence}` shows its runs.")
    if outcome not in (None, Outcome.SUCCESS):
        raise SystemExit(1)


def _wait(runtime: Runtime, occurrence_id: int) -> str:
    while True:
        with runtime.database.read.connect() as connection:
            outcome = get_occurrence(connection, occurrence_id).outcome
        if outcome not in LIVE_OUTCOMES:
            return outcome
        time.sleep(POLL_SECONDS)


@click.command()
@click.option("--schedule", "schedule_id", help="Only runs of this schedule.")
@click.option("--job", "job_name", help="Only runs of this job.")
@click.option("--status", type=click.Choice(list(RunStatus)), help="Only runs in this state.")
@click.option("--occurrence", type=int, help="Only runs of this occurrence.")
@click.option("--before", type=int, help="Only runs older than this id, to page on.")
@as_json
def runs(
    schedule_id: str | None,
    job_name: str | None,
    status: str | None,
    occurrence: int | None,
    before: int | None,
    as_json: bool,
) -> None:
    """List the latest 50 runs, newest first."""
    chosen = queries.RunFilter(
        status=RunStatus(status) if status else None, job_name=job_name, schedule_id=schedule_id
    )
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        now = runtime.now()
        if occurrence is not None:
            found = queries.runs_of_occurrence(connection, occurrence)
        else:
            found = list(queries.list_runs(connection, chosen, before=before).rows)
    rows = [vars(row) | {"took": _seconds(row.took_seconds(now))} for row in found]
    if as_json:
        show_json(rows)
        return
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
    show_table(columns, rows, "No runs: `tick run --all` makes some, a worker executes them.")


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} s"


@click.command()
@click.argument("run_id", type=int)
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@as_json
def logs(run_id: int, follow: bool, as_json: bool) -> None:
    """Show what a run logged, and its error if it failed."""
    with ready_runtime() as runtime:
        with runtime.database.read.connect() as connection:
            detail = queries.get_run(connection, run_id)
            lines = list(log_queries.last_lines(connection, run_id).lines)
        if as_json:
            show_json({"run": vars(detail), "lines": [vars(line) for line in lines]})
            return
        _print(lines)
        while follow and detail.is_live:
            time.sleep(POLL_SECONDS)
            last = lines[-1].id if lines else 0
            with runtime.database.read.connect() as connection:
                detail = queries.get_run(connection, run_id)
                lines = list(log_queries.lines_after(connection, run_id, last)) or lines[-1:]
            _print([line for line in lines if line.id > last])
    if detail.error_traceback:
        click.echo(detail.error_traceback)
    reason = f" ({detail.reason})" if detail.reason else ""
    click.echo(f"{detail.job_name}: {detail.status}{reason}")


def _print(lines: list[log_queries.LogLine]) -> None:
    for line in lines:
        click.echo(f"{line.at:%H:%M:%S} {line.level:<9} {line.message}")


@click.command()
@click.argument("run_id", type=int)
def cancel(run_id: int) -> None:
    """Cancel a run: at once if it is queued, else by asking its job."""
    with ready_runtime() as runtime:
        control.cancel_run(runtime.database, run_id, now=runtime.now(), author=author())
    click.echo(f"Run {run_id}: cancellation asked for.")
