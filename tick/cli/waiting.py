"""Waiting for what was started, with a bar on a terminal and silence in a pipe."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from tick.cli.client import Client
from tick.cli.exit_status import status_of
from tick.cli.output import tell
from tick.interface.occurrences import read_occurrence
from tick.ops.queries.occurrences import OccurrenceWithRuns
from tick.states import LIVE_OUTCOMES, UNFINISHED_RUNS, RunStatus

POLL_SECONDS = 0.5
wait_option = click.option(
    "--wait", is_flag=True, help="Wait for the end; the exit status tells how it was."
)


def wait_for(client: Client, occurrence_ids: Sequence[int]) -> list[OccurrenceWithRuns]:
    """Return the occurrences when all of them have ended.

    Ctrl-C ends the waiting, not the work; a short outage of who is asked ends neither.
    """
    found = {number: _read(client, number) for number in occurrence_ids}
    with progress_bar() as bar:
        task = bar.add_task("", total=None)
        while True:
            _show(bar, task, list(found.values()))
            live = [each for each in found if found[each].occurrence.outcome in LIVE_OUTCOMES]
            if not live:
                return list(found.values())
            try:
                time.sleep(POLL_SECONDS)
                found |= {number: _read(client, number) for number in live}
            except KeyboardInterrupt:
                shown = ", ".join(f"`tick runs --occurrence {number}`" for number in live[:5])
                click.echo(f"\nNo longer waiting; the work goes on: {shown}.", err=True)
                raise


def _read(client: Client, occurrence_id: int) -> OccurrenceWithRuns:
    return client.call_patiently(read_occurrence, occurrence_id=occurrence_id)


def tell_started(client: Client, occurrence_id: int, *, wait: bool) -> None:
    """Say what was started or, after waiting, what came of it; that is the exit status."""
    if wait:
        (found,) = wait_for(client, [occurrence_id])
    else:
        found = client.call(read_occurrence, occurrence_id=occurrence_id)
    outcome = found.occurrence.outcome
    said = outcome.value if wait else f"Occurrence {occurrence_id} is enqueued"
    tell(found, f"{said}; `tick runs --occurrence {occurrence_id}` shows its runs.")
    if wait:
        raise SystemExit(status_of([outcome]))


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield a bar on standard error that is gone in the end; nothing where that is no terminal."""
    console = Console(stderr=True)
    with Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        # A job's name may hold brackets, which rich would take for a style.
        TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        yield bar


def _show(bar: Progress, task: TaskID, found: Sequence[OccurrenceWithRuns]) -> None:
    runs = [run for each in found for run in each.runs]
    running = [run.job_name for run in runs if run.status is RunStatus.RUNNING]
    ended = sum(run.status not in UNFINISHED_RUNS for run in runs)
    bar.update(task, completed=ended, total=len(runs), description=", ".join(running[:5]))
