"""The command on the versions of a schedule's definition."""

from collections.abc import Sequence

import click

from tick.cli.client import call
from tick.cli.output import say, show, tell_older
from tick.cli.parameters import ID, as_json, count_option
from tick.cli.schedules import schedule_argument
from tick.interface.schedules import list_schedule_versions
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
        say(f"{version.number} since {version.since:%Y-%m-%d %H:%M} UTC by {version.by}: {when}")
        for change in version.changes or ():
            say(f"  {change.part}: {change.before or '-'} → {change.after or '-'}")
