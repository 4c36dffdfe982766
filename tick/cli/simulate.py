"""`tick simulate`: the real tick over a time that has not been."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from tick.cli.exit_status import ExitStatus
from tick.cli.output import is_terminal, show_json, show_table
from tick.cli.parameters import INSTANT, LENGTH, WINDOW, as_json, wants_json
from tick.cli.verify import show_proof
from tick.define.registry import load_registry
from tick.settings import load_settings

if TYPE_CHECKING:
    from tick.ticks.simulation import Simulation

SHOWN = 50


@click.command()
@click.option("--from", "start", type=INSTANT, required=True, help="The time begins.")
@click.option("--to", "end", type=INSTANT, required=True, help="And ends.")
@click.option("--down", type=WINDOW, multiple=True, help="A time without ticks: FROM..TO.")
@click.option(
    "--window", "windows", type=WINDOW, multiple=True, help="A maintenance window: FROM..TO."
)
@click.option(
    "--tick-every",
    type=LENGTH,
    default=timedelta(minutes=1),
    help="How often it ticks; default: 1m.",
)
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
    windows: tuple[tuple[datetime, datetime], ...],
    **lengths: Any,
) -> None:
    """Run the real tick over a time that has not been.

    It works in a database of its own, with all schedules switched on. Prints what did not fire,
    how often each schedule did, and the proof of its ledger: exit status 1 if it is not whole.
    """
    from tick.ticks.simulation import simulate as run_simulation

    settings = load_settings()
    registry = load_registry(settings.definitions, settings.environment)
    with _progress(start, end) as reached:
        found = run_simulation(
            registry, start, end, down=down, windows=windows, on_tick=reached, **lengths
        )
    if wants_json():
        show_json(found.as_dict())
    else:
        _tell_simulation(found)
    if not found.verified.ok:
        raise SystemExit(ExitStatus.FAILED)


def _tell_simulation(found: "Simulation") -> None:
    counts = Counter((line.schedule_id, str(line.outcome)) for line in found.lines)
    rows = [
        {"schedule": schedule, "outcome": outcome, "rows": count}
        for (schedule, outcome), count in sorted(counts.items())
    ]
    show_table({"schedule": "SCHEDULE", "outcome": "OUTCOME", "rows": "ROWS"}, rows, "Nothing.")
    odd = [line for line in found.lines if line.outcome != "SUCCESS" or line.nominal_for]
    for line in odd[:SHOWN]:
        reason = f": {line.reason}" if line.reason else ""
        at = f"{line.scheduled_for:%Y-%m-%d %H:%M}"
        click.echo(f"{at} {line.schedule_id} {line.outcome} x{line.count}{reason}")
    if len(odd) > SHOWN:
        click.echo(f"… and {len(odd) - SHOWN} more; --json prints all.")
    show_proof(found.verified)


@contextmanager
def _progress(start: datetime, end: datetime) -> Iterator[Callable[[datetime], None]]:
    """Yield what moves a bar by simulated days, on a terminal's standard error."""
    days, hidden = max((end - start).days, 1), not is_terminal(sys.stderr)
    with click.progressbar(
        length=days, label="Simulated days", show_pos=True, file=sys.stderr, hidden=hidden
    ) as bar:

        def reached(now: datetime) -> None:
            # By whole days: it ticks each minute, and a bar drawn each time would be what takes.
            if (day := (now - start).days) > bar.pos:
                bar.update(day - bar.pos)

        yield reached
