"""The commands on definitions: sync, check and plan them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from tick.cli.client import call
from tick.cli.exit_status import ExitStatus
from tick.cli.local import author, ready_runtime
from tick.cli.output import say, show_json, show_table
from tick.cli.parameters import as_json, wants_json
from tick.define.registry import Registry, load_registry
from tick.interface.verify_and_plan import plan_definitions
from tick.ops.reports.deploy_plan import Plan
from tick.ops.reports.drift import Drift, count_moved
from tick.settings import where_definitions_are
from tick.text import counted

MOST_MOVED = 200
"""Moved instants that a plan lists."""


@click.command()
@click.option(
    "--accept-older-zone-data",
    is_flag=True,
    help="Decide by the time zone data here, though newer ones are in force.",
)
@as_json
def sync(accept_older_zone_data: bool) -> None:
    """Bring the database to what the definitions say. New schedules arrive disabled."""
    from tick.syncing import sync_definitions

    with ready_runtime() as runtime:
        report = sync_definitions(
            runtime, runtime.now(), author=author(), accept_older_zone_data=accept_older_zone_data
        )
    if wants_json():
        show_json(vars(report))
        return
    click.echo(f"Definitions are at generation {report.generation}.")
    for what in ("added", "changed", "removed", "returned", "renamed", "windows"):
        if ids := getattr(report, what):
            click.echo(f"{what}: {', '.join(ids)}")


@click.command()
@as_json
def check() -> None:
    """Check the definitions without a database: for CI. Exit status 1 lists every mistake."""
    # Not `load_settings`: in CI no other setting has to be there, nor to be right.
    registry = load_registry(*where_definitions_are())
    if not wants_json():
        _tell_registry(registry)
        return
    groups = {name: job.group for name, job in registry.jobs.items()}
    show_json({"jobs": groups, "schedules": list(registry.schedules)})


def _tell_registry(registry: Registry) -> None:
    rows = [
        {"group": group, "jobs": ", ".join(job.name for job in jobs)}
        for group, jobs in registry.groups.items()
    ]
    show_table({"group": "GROUP", "jobs": "JOBS"}, rows, "No jobs yet: see definitions/README.md.")
    count = f"{counted(len(registry.jobs), 'job')} in {counted(len(rows), 'group')}"
    click.echo(f"{count} and {counted(len(registry.schedules), 'schedule')}: no mistakes.")
    _tell_elsewhere(registry.environment, registry.elsewhere)


def _tell_elsewhere(environment: str, elsewhere: Mapping[str, Sequence[str]]) -> None:
    for schedule_id, there in elsewhere.items():
        say(f"{schedule_id} does not exist in {environment}, but in {', '.join(there)}.")


@click.command()
@as_json
def plan() -> None:
    """Show what deploying the definitions here would change there.

    With --url: what syncing the definitions that the console has loaded would change; those in this
    folder are not compared. Exit status 0 when nothing changes, 5 when something does.
    """
    found = call(plan_definitions)
    if wants_json():
        show_json(found.as_dict())
    else:
        _tell_plan(found)
    if not found.changes_nothing:
        raise SystemExit(ExitStatus.CHANGES)


def _tell_plan(found: Plan) -> None:
    if found.wrong_environment:
        say(found.wrong_environment)
    _tell_elsewhere(found.environment, found.elsewhere)
    for each in found.pinned:
        say(f"{each.schedule_id}: {each.pin.words}; it stays so, for its definition is the same")
    if found.changes_nothing:
        click.echo("Nothing changes.")
        return
    for change in found.changes:
        click.echo(f"{change.schedule_id}: {'; '.join(change.what)}")
        _tell_rule("before", change.before, change.next_before)
        _tell_rule("after", change.after, change.next_after)
    for window in found.windows:
        click.echo(f"window {window.name}: {window.what}{window.words and f', {window.words}'}")
    for moment in found.fires:
        click.echo(f"due: {moment.schedule_id} {moment.at:%Y-%m-%d %H:%M} UTC {moment.text}")
    for moment in found.clock_changes:
        click.echo(f"clock: {moment.schedule_id} {moment.at:%Y-%m-%d %H:%M} UTC: {moment.text}")
    for item in found.collisions:
        click.echo(
            f"collision: {' and '.join(item.schedules)} both start {', '.join(item.jobs)}, "
            f"{item.count} times a week, first {item.first:%Y-%m-%d %H:%M} UTC"
        )
    _tell_drift(found.drift)
    if not found.fires:
        click.echo("Nothing fires on deploy.")


def _tell_drift(drift: Sequence[Drift]) -> None:
    for why, instants, schedules in count_moved(drift):
        of_them = f"{counted(instants, 'instant')} of {counted(schedules, 'schedule')}"
        click.echo(f"moved: {of_them} within twelve months, by {why}")
    lines = [
        f"  {item.schedule_id}: {_minute(move.before)} → {_minute(move.after)}"
        for item in drift
        for move in item.moved
    ]
    for line in lines[:MOST_MOVED]:
        click.echo(line)
    if (more := sum(item.count for item in drift) - len(lines[:MOST_MOVED])) > 0:
        click.echo(f"  … and {more} more; --json has more of them")


def _minute(at: datetime | None) -> str:
    return "nothing" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _tell_rule(name: str, words: str | None, times: tuple[datetime, ...]) -> None:
    if words is not None:
        listed = ", ".join(f"{at:%a %Y-%m-%d %H:%M}" for at in times)
        click.echo(f"  {name + ':':8} {words}; next: {f'{listed} UTC' if listed else 'never'}")
