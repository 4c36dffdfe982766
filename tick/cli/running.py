"""The commands that start, stop and repeat work: run, cancel, retry."""

import json
from typing import Any

import click

from tick.cli.client import open_client
from tick.cli.common import ID, as_json, reason_option, say, tell
from tick.cli.completion import complete_groups, complete_jobs, complete_schedules
from tick.cli.statuses import ExitStatus
from tick.cli.waiting import tell_started, wait_option
from tick.interface.batches import cancel_runs, retry_runs
from tick.interface.jobs import run_all_jobs, run_group, run_job
from tick.interface.occurrences import cancel_occurrence, read_occurrence, retry_occurrence
from tick.interface.runs import cancel_run, retry_run
from tick.interface.schedules import trigger_schedule
from tick.ops.actions.batches import BatchDone
from tick.states import RunStatus
from tick.text import counted


@click.command()
@click.argument("schedule_id", required=False, shell_complete=complete_schedules)
@click.option("--job", shell_complete=complete_jobs, help="One job, without what it depends on.")
@click.option(
    "--group",
    shell_complete=complete_groups,
    help="The jobs of a group, in dependency order.",
)
@click.option("--all", "everything", is_flag=True, help="All jobs, in dependency order.")
@click.option(
    "--params",
    metavar="JSON",
    help="Keyword arguments; of many jobs, each takes those that its function names.",
)
@click.option("--override-overlap", is_flag=True, help="Even while the schedule still runs.")
@click.option("--key", help="Given again, the same key starts nothing new.")
@reason_option("Why; stands in the ledger and in the audit.")
@wait_option
@as_json
def run(
    schedule_id: str | None,
    job: str | None,
    group: str | None,
    everything: bool,
    params: str | None,
    override_overlap: bool,
    key: str | None,
    reason: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Run now: SCHEDULE_ID, --job NAME, --group NAME or --all. A worker does the work.

    No schedule's next instant moves. For example: tick run nightly --wait
    """
    if sum([schedule_id is not None, job is not None, group is not None, everything]) != 1:
        raise click.UsageError("Name exactly one of SCHEDULE_ID, --job, --group and --all.")
    if params is not None and schedule_id is not None:
        raise click.UsageError("--params goes with --job, --group and --all, not with a schedule.")
    given = _read_params(params)
    with open_client() as client:
        if schedule_id is not None:
            made = client.call(
                trigger_schedule,
                schedule_id=schedule_id,
                key=key,
                reason=reason,
                override_overlap=override_overlap,
            )
        elif job is not None:
            made = client.call(run_job, job_name=job, key=key, reason=reason, params=given)
        elif group is not None:
            made = client.call(run_group, group=group, key=key, reason=reason, params=given)
        else:
            made = client.call(run_all_jobs, key=key, reason=reason, params=given)
        tell_started(client, made.occurrence_id, wait=wait, as_json=as_json)


def _read_params(text: str | None) -> dict[str, Any]:
    try:
        params = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--params is not JSON: {error}.") from None
    if not isinstance(params, dict):
        raise click.UsageError("--params takes a JSON object, such as '{\"days\": 7}'.")
    return params


@click.command()
@click.argument("run_id", type=ID, nargs=-1)
@click.option("--occurrence", type=ID, help="All of it that has not ended.")
@reason_option("Why; stands at the runs and in the audit.")
@as_json
def cancel(
    run_id: tuple[int, ...], occurrence: int | None, reason: str | None, as_json: bool
) -> None:
    """Cancel runs, or --occurrence ID.

    What is queued is cancelled at once; a job that runs is asked to stop.
    """
    _want_one_kind(run_id, occurrence)
    with open_client() as client:
        if occurrence is not None:
            count = client.call(cancel_occurrence, occurrence_id=occurrence, reason=reason).runs
            said = f"Occurrence {occurrence}: {counted(count, 'run')} cancelled or asked to stop."
            tell(client.call(read_occurrence, occurrence_id=occurrence), said, as_json)
        elif len(run_id) == 1:
            found = client.call(cancel_run, run_id=run_id[0], reason=reason)
            ended = found.status is RunStatus.CANCELLED
            said = "is cancelled" if ended else "is asked to stop"
            tell(found, f"Run {found.id} ({found.job_name}) {said}.", as_json)
        else:
            batch = client.call(cancel_runs, run_ids=run_id, reason=reason)
            _tell_batch("Cancelled or asked to stop", batch, as_json)


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
    run_id: tuple[int, ...],
    occurrence: int | None,
    only: bool,
    override_overlap: bool,
    reason: str | None,
    wait: bool,
    as_json: bool,
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
    with open_client() as client:
        if len(run_id) > 1:
            batch = client.call(
                retry_runs,
                run_ids=run_id,
                reason=reason,
                override_overlap=override_overlap,
                only=only,
            )
            _tell_batch("Back in the queue", batch, as_json)
            return
        if occurrence is not None:
            ids = client.call(
                retry_occurrence,
                occurrence_id=occurrence,
                reason=reason,
                override_overlap=override_overlap,
            ).run_ids
            numbers = ", ".join(map(str, ids))
            said = f"Back in the queue: {numbers}" if ids else "It is in the queue already, or runs"
        else:
            found = client.call(
                retry_run,
                run_id=run_id[0],
                reason=reason,
                override_overlap=override_overlap,
                only=only,
            )
            occurrence = found.occurrence_id
            along = f", with {counted(len(found.put_back) - 1, 'run')} skipped because of it"
            more = along if found.put_back[1:] else ""
            said = f"Run {found.id} ({found.job_name}) is {found.status}{more}"
        if wait or as_json:
            tell_started(client, occurrence, wait=wait, as_json=as_json)
        else:
            click.echo(f"{said}.")


def _want_one_kind(run_ids: tuple[int, ...], occurrence: int | None) -> None:
    if bool(run_ids) == (occurrence is not None):
        raise click.UsageError("Name either RUN_ID or --occurrence.")


def _tell_batch(said: str, batch: BatchDone, as_json: bool) -> None:
    """What became of many; a refusal among them is exit status 1."""
    tell(batch, f"{said}: {', '.join(map(str, batch.done)) or 'none'}.", as_json)
    for reason in batch.refused.values():
        say(reason, err=True)
    if batch.refused:
        raise SystemExit(ExitStatus.FAILED)
