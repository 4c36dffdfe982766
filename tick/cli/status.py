"""`tick status`: whether the system ticks and works."""

import click

from tick.cli.client import call
from tick.cli.exit_status import ExitStatus
from tick.cli.output import say, show
from tick.cli.parameters import as_json
from tick.interface.scheduler import read_status
from tick.ops.queries.scheduler import SchedulerStatus, TickSource
from tick.text import length


@click.command()
@as_json
def status() -> None:
    """Say whether the system ticks and works.

    Exit status 1 when ticks are late or never came, when a clock ahead keeps schedules silent, or
    when the database belongs to another environment.
    """
    found = call(read_status)
    show(found, _tell_status)
    is_silent = found.last_tick_at is None or found.ahead_to or found.wrong_environment
    if found.ticks_are_late or is_silent:
        raise SystemExit(ExitStatus.FAILED)


def _tell_status(found: SchedulerStatus) -> None:
    if found.last_tick_at is None:
        synced = found.synced_at and f"; a sync decided what was due at {found.synced_at:%H:%M} UTC"
        click.echo(f"No tick yet{synced or ''}: `tick now` makes one.")
    else:
        age = round((found.now - found.last_tick_at).total_seconds())
        source, late = found.last_tick_source, _in_time(found.ticks_are_late)
        click.echo(f"Last tick {length(age)} ago by {source}, {late}: {_usual(found)}.")
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
    if found.wrong_environment:
        say(found.wrong_environment)
    elif found.environment:
        say(f"Environment: {found.environment}.")
    click.echo(f"Workers: {found.workers}. Runs at work: {found.running}, waiting: {found.queued}.")


def _usual(ticks: SchedulerStatus | TickSource) -> str:
    if not ticks.learned:
        return "too few to know how often one comes"
    return f"one comes every {length(ticks.usual_seconds)}"


def _in_time(late: bool) -> str:
    return "late" if late else "in time"
