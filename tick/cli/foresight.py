"""The commands that look ahead and write nothing: plan, simulate."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from tick.cli.common import as_json, is_terminal, ready_runtime, show_json, show_table
from tick.cli.instants import INSTANT, LENGTH, WINDOW
from tick.cli.ledger import show_proof
from tick.cli.statuses import ExitStatus
from tick.define.registry import load_registry
from tick.ops.reports.deploy_plan import Plan, plan_deploy
from tick.settings import load_settings

if TYPE_CHECKING:
    from tick.ticks.simulation import Simulation

_MINUTE = timedelta(minutes=1)
SHOWN = 50


@click.command()
@as_json
def plan(as_json: bool) -> None:
    """Show what deploying the definitions here would change there.

    Exit status 0 when nothing changes, 5 when something does.
    """
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        found = plan_deploy(connection, runtime.registry, runtime.now())
    if as_json:
        show_json(found.as_dict())
    else:
        _show_plan(found)
    if not found.changes_nothing:
        raise SystemExit(ExitStatus.CHANGES)


def _show_plan(found: Plan) -> None:
    if found.changes_nothing:
        click.echo("Nothing changes.")
        return
    for change in found.changes:
        click.echo(f"{change.schedule_id}: {'; '.join(change.what)}")
        for name, words, times in (
            ("before", change.before, change.next_before),
            ("after", change.after, change.next_after),
        ):
            if words is not None:
                listed = ", ".join(f"{at:%a %Y-%m-%d %H:%M}" for at in times)
                click.echo(
                    f"  {name + ':':8} {words}; next: {f'{listed} UTC' if listed else 'never'}"
                )
    for moment in found.fires:
        click.echo(f"due: {moment.schedule_id} {moment.at:%Y-%m-%d %H:%M} UTC {moment.text}")
    for moment in found.clock_changes:
        click.echo(f"clock: {moment.schedule_id} {moment.at:%Y-%m-%d %H:%M} UTC: {moment.text}")
    for item in found.collisions:
        click.echo(
            f"collision: {' and '.join(item.schedules)} both start {', '.join(item.jobs)}, "
            f"{item.count} times a week, first {item.first:%Y-%m-%d %H:%M} UTC"
        )
    if not found.fires:
        click.echo("Nothing fires on deploy.")


@click.command()
@click.option("--from", "start", type=INSTANT, required=True, help="The time begins.")
@click.option("--to", "end", type=INSTANT, required=True, help="And ends.")
@click.option("--down", type=WINDOW, multiple=True, help="A time without ticks: FROM..TO.")
@click.option("--window", type=WINDOW, multiple=True, help="A maintenance window: FROM..TO.")
@click.option("--tick-every", type=LENGTH, default=_MINUTE, help="How often it ticks; default: 1m.")
@click.option(
    "--runs-take",
    type=LENGTH,
    default=timedelta(0),
    help="How long each run takes; default: no time at all.",
)
@as_json
def simulate(
    start: datetime,
    end: datetime,
    down: tuple[tuple[datetime, datetime], ...],
    window: tuple[tuple[datetime, datetime], ...],
    tick_every: timedelta,
    runs_take: timedelta,
    as_json: bool,
) -> None:
    """Run the real tick over a time that has not been.

    It works in a database of its own, with all schedules switched on. Prints what did not fire,
    how often each schedule did, and the proof of its ledger: exit status 1 if it is not whole.
    """
    from tick.ticks.simulation import simulate as run_simulation

    registry = load_registry(load_settings().definitions)
    with _progress(start, end) as reached:
        found = run_simulation(
            registry,
            start,
            end,
            tick_every=tick_every,
            down=down,
            windows=window,
            runs_take=runs_take,
            on_tick=reached,
        )
    if as_json:
        show_json(found.as_dict())
    else:
        _show_simulation(found)
    if not found.verified.ok:
        raise SystemExit(ExitStatus.FAILED)


def _show_simulation(found: "Simulation") -> None:
    counts = Counter((line.schedule_id, str(line.outcome)) for line in found.lines)
    rows = [
        {"schedule": schedule, "outcome": outcome, "rows": count}
        for (schedule, outcome), count in sorted(counts.items())
    ]
    show_table({"schedule": "SCHEDULE", "outcome": "OUTCOME", "rows": "ROWS"}, rows, "Nothing.")
    odd = [line for line in found.lines if line.outcome != "SUCCESS"]
    for line in odd[:SHOWN]:
        reason = f": {line.reason}" if line.reason else ""
        click.echo(
            f"{line.scheduled_for:%Y-%m-%d %H:%M} {line.schedule_id} {line.outcome} "
            f"x{line.count}{reason}"
        )
    if len(odd) > SHOWN:
        click.echo(f"… and {len(odd) - SHOWN} more; --json prints all.")
    show_proof(found.verified)


@contextmanager
def _progress(start: datetime, end: datetime) -> Iterator[Callable[[datetime], None]]:
    """A bar by simulated days, on a terminal's standard error; gives what moves it on."""
    days, hidden = max((end - start).days, 1), not is_terminal(sys.stderr)
    with click.progressbar(
        length=days, label="Simulated days", show_pos=True, file=sys.stderr, hidden=hidden
    ) as bar:

        def reached(now: datetime) -> None:
            if (day := (now - start).days) > bar.pos:
                bar.update(day - bar.pos)

        yield reached
