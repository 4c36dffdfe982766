"""The commands on schedules by hand: add, edit, delete, restore."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import click

from tick.cli.client import call, open_client
from tick.cli.completion import complete_groups, complete_jobs, name_option
from tick.cli.output import tell
from tick.cli.parameters import (
    DAY_OR_INSTANT,
    INSTANT,
    LENGTH_OR_STEP,
    as_json,
    if_revision,
    json_or_text,
    named_value,
    read_params,
    reason_option,
)
from tick.cli.schedules import next_firing, schedule_argument
from tick.define.steps import Step
from tick.interface.custom_schedules import (
    ScheduleOptions,
    create_schedule,
    delete_schedule,
    restore_schedule,
    update_schedule,
)
from tick.interface.inputs import parse
from tick.interface.schedules import read_schedule
from tick.ops.queries.schedules import Schedule
from tick.states import MissedPolicy, Mode, OverlapPolicy

_Command = Callable[..., None]
_OPTIONS = (
    click.option("--description", help="What it is for."),
    click.option("--cron", help="Five fields, as in '0 2 * * *'."),
    click.option(
        "--every",
        type=LENGTH_OR_STEP,
        help="A fixed length between two firings (90m, 2h, 1d), or a step of the local calendar: "
        "'2 days at 09:00', 'week on mon at 09:00', '3 months on 31 at 18:00', 'month on business "
        "day 3' (or last day -3, nearest weekday 15, last weekday).",
    ),
    click.option("--anchor", type=DAY_OR_INSTANT, help="From which --every is counted."),
    click.option("--at", type=INSTANT, help="Once, at this instant."),
    click.option(
        "--timezone", help="Of --cron and of steps; such as Europe/Berlin. UTC unless given."
    ),
    name_option("job", "Run this job."),
    click.option("--jobs", multiple=True, shell_complete=complete_jobs, help="Run these jobs."),
    click.option("--group", "job_group", shell_complete=complete_groups, help="Run this group."),
    click.option("--all", "everything", is_flag=True, help="Run all jobs."),
    click.option("--params", metavar="JSON", help="Keyword arguments of the jobs."),
    click.option("--label", "labels", multiple=True, help="Names that it shares with others."),
    click.option("--missed", type=click.Choice(MissedPolicy), help="What a missed instant does."),
    click.option("--overlap", type=click.Choice(OverlapPolicy), help="While one is unfinished."),
    click.option(
        "--option",
        "others",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any other option of a schedule; the value is JSON or a text, null takes it away.",
    ),
)


def _options(command: _Command) -> _Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("name")
@click.option("--id", "schedule_id", help="Unless given, it is made from the name.")
@click.option("--enabled", is_flag=True, help="Switch it on as well.")
@_options
@as_json
def add(name: str, schedule_id: str | None, enabled: bool, **options: Any) -> None:
    """Add a schedule by hand. It runs jobs that exist in code.

    For example: tick add "Nightly match" --cron "0 2 * * *" --group matching
    """
    row = call(create_schedule, name=name, id=schedule_id, enabled=enabled, **_given(options))
    _tell(row, f"{row.id} was added, {_switch(row)}")


@click.command()
@schedule_argument
@click.option("--name", help="What it is called.")
@_options
@if_revision
@as_json
def edit(schedule_id: str, revision: str | None, **options: Any) -> None:
    """Edit a schedule that was made by hand.

    What is given changes, the rest stays.
    """
    # A body of its own: null takes an option away, and is none that was not given.
    body = parse(ScheduleOptions, _given(options), "body")
    row = call(update_schedule, schedule_id=schedule_id, revision=revision, body=body)
    _tell(row, f"{row.id} is at version {row.version}, {_switch(row)}")


@click.command()
@schedule_argument
@reason_option("Why; kept in the audit.")
@if_revision
@as_json
def delete(schedule_id: str, reason: str | None, revision: str | None) -> None:
    """Delete a schedule that was made by hand. Its history stays; `tick restore` undoes it."""
    found = call(delete_schedule, schedule_id=schedule_id, revision=revision, reason=reason)
    tell(found, f"{schedule_id} was deleted; `tick restore {schedule_id}` brings it back.")


@click.command()
@schedule_argument
@as_json
def restore(schedule_id: str) -> None:
    """Bring back a schedule that was deleted, switched off."""
    with open_client() as client:
        was = client.call(read_schedule, schedule_id=schedule_id).schedule.version
        row = client.call(restore_schedule, schedule_id=schedule_id)
    # Only what its jobs are by now can have made another version of it.
    how = "as it was" if row.version == was else f"at version {row.version}: its jobs have changed"
    _tell(row, f"{schedule_id} is back {how}, {_switch(row)}")


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, by the names of the interface."""
    given = {name: value for name, value in options.items() if value not in (None, (), False)}
    others = dict(map(named_value, given.pop("others", ())))
    if isinstance(every := given.get("every"), timedelta):
        given["every"] = every.total_seconds()
    elif isinstance(every, Step):
        given["every"] = every.to_plain()
    if (params := given.get("params")) is not None:
        given["params"] = read_params(params)
    if given.pop("everything", False):
        given["mode"] = Mode.ALL_JOBS
    return given | {name: json_or_text(text) for name, text in others.items()}


def _switch(row: Schedule) -> str:
    if row.enabled:
        return f"on; next: {next_firing(row)}"
    return f"switched off; `tick enable {row.id}` switches it on"


def _tell(row: Schedule, sentence: str) -> None:
    tell(row, f"{sentence}.")
