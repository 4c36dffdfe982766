"""The commands on jobs: list them, run now."""

import click

from tick.cli.bulk import are_many, at_once
from tick.cli.client import open_client
from tick.cli.completion import label_option, name_option, schedules_argument
from tick.cli.output import show_list
from tick.cli.parameters import as_json, read_params, reason_option
from tick.cli.waiting import tell_started, wait_option
from tick.interface.jobs import list_jobs, run_all_jobs, run_group, run_job
from tick.interface.many_schedules import trigger_schedules
from tick.interface.schedules import trigger_schedule
from tick.ops.queries.jobs import Job


@click.command()
@as_json
def jobs() -> None:
    """List the jobs with their latest runs."""
    with open_client() as client:
        found = client.all(list_jobs)
    columns = {
        "name": "JOB",
        "group": "GROUP",
        "depends": "DEPENDS ON",
        "queue": "QUEUE",
        "last": "LAST",
        "at": "QUEUED (UTC)",
        "description": "DOES",
    }
    show_list(found, columns, "No jobs yet: see definitions/README.md.", _more)


def _more(job: Job) -> dict[str, object]:
    return {
        "depends": ", ".join(job.depends_on) or None,
        "last": job.latest_run and job.latest_run.status,
        "at": job.latest_run and job.latest_run.queued_at,
    }


@click.command()
@schedules_argument
@label_option
@name_option("job", "One job, without what it depends on.")
@name_option("group", "The jobs of a group, in dependency order.")
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
    schedule_ids: tuple[str, ...],
    label: str | None,
    job: str | None,
    group: str | None,
    everything: bool,
    params: str | None,
    override_overlap: bool,
    wait: bool,
    **act: str | None,
) -> None:
    """Run now: SCHEDULE_ID, --job NAME, --group NAME or --all. A worker does the work.

    No schedule's next instant moves. For example: tick run nightly --wait
    """
    of_schedules = bool(schedule_ids) or label is not None
    if sum([of_schedules, job is not None, group is not None, everything]) != 1:
        raise click.UsageError(
            "Name exactly one of SCHEDULE_ID, --label, --job, --group and --all."
        )
    if params is not None and of_schedules:
        raise click.UsageError("--params goes with --job, --group and --all, not with a schedule.")
    given, how = read_params(params), act | {"override_overlap": override_overlap}
    if of_schedules and are_many(schedule_ids, label):
        one = {"--wait": wait}
        at_once(trigger_schedules, schedule_ids, label, "is enqueued", of_one=one, **how)
        return
    with open_client() as client:
        if of_schedules:
            made = client.call(trigger_schedule, schedule_id=schedule_ids[0], **how)
        elif job is not None:
            made = client.call(run_job, job_name=job, params=given, **act)
        elif group is not None:
            made = client.call(run_group, group=group, params=given, **act)
        else:
            made = client.call(run_all_jobs, params=given, **act)
        tell_started(client, made.occurrence_id, wait=wait)
