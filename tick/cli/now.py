"""`tick now`: one tick, a dry run of one, and work for hosts without a worker."""

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tick.cli.local import ready_runtime
from tick.cli.output import say, show_json, show_table
from tick.cli.parameters import as_json, wants_json
from tick.runtime import Runtime
from tick.states import RunStatus
from tick.syncing import ensure_synced
from tick.ticks.result import TickResult
from tick.ticks.tick import run_tick

if TYPE_CHECKING:
    from tick.worker.timed import WorkSummary


@click.command()
@click.option(
    "--drain",
    type=click.FloatRange(5),
    metavar="SECONDS",
    help="Then run what is ready, all within so many seconds: for hosts without a worker.",
)
@click.option("--dry-run", is_flag=True, help="Only show what it would decide; also with --url.")
@as_json
def now(drain: float | None, dry_run: bool) -> None:
    """Tick once: decide everything that is due.

    Exit status 1 when a schedule could not be decided; 0 also when nothing was due.
    """
    if dry_run:
        _show_dry_run()
        return
    if click.get_current_context().find_root().params.get("url"):
        raise click.UsageError(
            "`tick now` works on the database itself, not through --url, unless it is a --dry-run: "
            "run it where TICK_DATABASE_URL leads there, or call POST /internal/tick."
        )
    from tick.notify.dispatcher import after_tick

    started = time.monotonic()
    with ready_runtime() as runtime:
        instant = runtime.now()
        ensure_synced(runtime, instant)
        result = run_tick(runtime, instant, source="tick now")
        # What the tick took is off the host's time: a function is killed when that is over.
        worked = None if drain is None else _work(runtime, drain - (time.monotonic() - started))
        after_tick(runtime, result, runtime.settings.budget_seconds)
    if wants_json():
        show_json(result.as_dict() | ({"worked": worked.as_dict()} if worked else {}))
    else:
        _tell_tick(result)
        if worked is not None:
            _tell_work(worked)
    sys.exit(1 if result.errors else 0)


def _show_dry_run() -> None:
    # Not at the top: each minute's tick would wait for the whole interface.
    from tick.cli.client import call
    from tick.interface.scheduler import preview_tick

    found = call(preview_tick)
    if wants_json():
        show_json(found.as_dict())
        return
    _tell_decisions([vars(line) for line in found.lines], found.errors)
    if found.more:
        click.echo("More is due than was looked at.", err=True)


def _work(runtime: Runtime, seconds: float) -> "WorkSummary":
    from tick.stop import Stop
    from tick.worker.timed import work_for

    stop = Stop()
    stop.on_signals()
    return work_for(runtime, seconds, stop)


def _tell_tick(result: TickResult) -> None:
    nothing = "Nothing was decided." if result.more or result.errors else "Nothing was due."
    lines = [vars(line) for line in (*result.fired, *result.not_fired)]
    _tell_decisions(lines, result.errors, nothing)
    if result.more and result.errors:
        click.echo("What is due is left: tick again.", err=True)
    elif result.more:
        click.echo("More is due than one tick's budget allows: tick again.", err=True)


def _tell_work(worked: "WorkSummary") -> None:
    counts = ", ".join(
        # A run that is queued after it was worked on has failed, and has attempts left.
        f"{count} {'put back for another attempt' if status is RunStatus.QUEUED else status}"
        for status, count in worked.statuses.items()
    )
    click.echo(f"Worked {worked.took_seconds:.1f} s: {counts or 'nothing was ready'}.")
    if worked.more:
        click.echo("The time was over before the work was.", err=True)


def _tell_decisions(
    lines: list[dict[str, Any]], errors: Mapping[str, str], nothing: str = "Nothing was due."
) -> None:
    columns = {
        "schedule_id": "SCHEDULE",
        "scheduled_for": "INSTANT (UTC)",
        "outcome": "OUTCOME",
        "runs": "RUNS",
        "reason": "REASON",
    }
    show_table(columns, lines, nothing)
    for schedule_id, reason in errors.items():
        say(f"{schedule_id}: {reason}", err=True)
