"""The commands on the versions of a schedule's definition: list them, pin one, end that."""

from collections.abc import Sequence

import click

from tick.cli.client import call
from tick.cli.output import say, show, tell, tell_older
from tick.cli.parameters import ID, as_json, count_option, if_revision, reason_option
from tick.cli.schedules import next_firing, schedule_argument
from tick.interface.schedules import list_schedule_versions, pin_schedule, unpin_schedule
from tick.ops.queries.versions import MOST_VERSIONS, Version


@click.command()
@schedule_argument
@count_option(MOST_VERSIONS, 100, "How many versions.")
@click.option("--before", type=ID, help="Only those older than this number, to page on.")
@as_json
def versions(schedule_id: str, count: int, before: int | None) -> None:
    """List a schedule's versions and what each of them changed."""
    page = call(list_schedule_versions, schedule_id=schedule_id, limit=count, before=before)
    show(page.items, _tell)
    tell_older(page)


def _tell(found: Sequence[Version]) -> None:
    for version in found:
        when = version.timing.words
        since = f"{version.since:%Y-%m-%d %H:%M} UTC by {version.by}"
        pinned = f" (pinned to version {version.pinned_to})" if version.pinned_to else ""
        say(f"{version.number} since {since}: {when}{pinned}")
        for change in version.changes or ():
            say(f"  {change.part}: {change.before or '-'} → {change.after or '-'}")


@click.command()
@schedule_argument
@click.argument("version", type=ID)
@reason_option("Why; whoever wonders about the definition reads it.", required=True)
@if_revision
@as_json
def pin(schedule_id: str, version: int, reason: str, revision: str | None) -> None:
    """Let a schedule go by the rule and jobs of an earlier version.

    It does so until its definition changes: by a deploy, or by an edit if it was made by hand.
    """
    how = {"version": version, "reason": reason, "revision": revision}
    row = call(pin_schedule, schedule_id=schedule_id, **how)
    end = f"until its definition changes, or `tick unpin {schedule_id}`"
    tell(row, f"{schedule_id} is pinned to version {version} {end}; next: {next_firing(row)}.")


@click.command()
@schedule_argument
@reason_option("Why; kept in the audit.")
@if_revision
@as_json
def unpin(schedule_id: str, reason: str | None, revision: str | None) -> None:
    """Let a schedule go by its definition again."""
    row = call(unpin_schedule, schedule_id=schedule_id, reason=reason, revision=revision)
    tell(row, f"{schedule_id} goes by its definition again; next: {next_firing(row)}.")
