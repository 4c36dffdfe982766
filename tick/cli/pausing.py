"""The commands that pause a schedule and let it go on."""

from datetime import datetime

import click

from tick.cli.common import author, ready_runtime
from tick.cli.instants import INSTANT
from tick.ops import control
from tick.ops.upcoming import count_undecided


@click.command()
@click.argument("schedule_id")
@click.option("--reason", required=True, help="Why; whoever finds the schedule quiet reads it.")
@click.option("--until", type=INSTANT, help="When the pause ends by itself.")
def pause(schedule_id: str, reason: str, until: datetime | None) -> None:
    """Keep a schedule from firing, for a reason."""
    with ready_runtime() as runtime:
        control.pause_schedule(
            runtime.database,
            schedule_id,
            now=runtime.now(),
            author=author(),
            reason=reason,
            until=until,
        )
    end = f"until {until:%Y-%m-%d %H:%M %Z}" if until else f"until `tick resume {schedule_id}`"
    click.echo(f"{schedule_id} is paused {end}.")


@click.command()
@click.argument("schedule_id")
@click.option("--catch-up", is_flag=True, help="Also fire the most recent instant that passed.")
@click.option("--run", type=INSTANT, multiple=True, help="Also run this instant that passed.")
def resume(schedule_id: str, catch_up: bool, run: tuple[datetime, ...]) -> None:
    """End a pause or an ERROR. It next fires at its first instant after now."""
    with ready_runtime() as runtime:
        now = runtime.now()
        with runtime.database.read.connect() as connection:
            passed = count_undecided(connection, schedule_id, now)
        made = control.resume_schedule(
            runtime.database,
            schedule_id,
            now=now,
            author=author(),
            catch_up_latest=catch_up,
            run=run,
        )
    click.echo(
        f"{schedule_id} goes on; {passed.count} instants passed meanwhile, "
        f"{len(made) + catch_up} of them run."
    )
