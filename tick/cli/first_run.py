"""`tick first-run`: from an empty database to a schedule's first firing, watched to its end."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

import click
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tick.cli.client import Client, LocalClient
from tick.cli.local import author
from tick.engine.ledger.audit import Act
from tick.errors import Refused, TickError
from tick.interface.occurrences import read_occurrence
from tick.interface.schedules import enable_schedule, read_schedule
from tick.ops.access import users
from tick.ops.queries.runs import Run
from tick.runtime import Runtime, open_runtime
from tick.states import RunStatus
from tick.store import schema
from tick.syncing import sync_definitions
from tick.text import length
from tick.ticks.tick import run_tick

POLL_SECONDS = 0.2
MARKS = {
    RunStatus.QUEUED: ("·", "dim"),
    RunStatus.RUNNING: ("▶", "cyan"),
    RunStatus.SUCCESS: ("✓", "green"),
    RunStatus.FAILED: ("✗", "red"),
    RunStatus.CANCELLED: ("⊘", "yellow"),
    RunStatus.SKIPPED: ("↷", "yellow"),
}


@click.command("first-run")
@click.argument("schedule_id")
@click.option("--admin", default="admin", show_default=True, help="Name of the first user.")
def first_run(schedule_id: str, admin: str) -> None:
    """Prepare the database, fire SCHEDULE_ID once, watch it run.

    Migrates, syncs the definitions, makes the first admin, switches the schedule on, and fires its
    latest instant through the real tick and a real worker: the ledger holds it as that instant, and
    the next one comes when it is due. Done before, it shows the last firing and repeats nothing.
    Exit status 1 unless every run succeeded.
    """
    with open_runtime() as runtime:
        schema.upgrade(runtime.database)
        sync_definitions(runtime, runtime.now(), author=author())
        _make_admin(runtime, admin)
        client = LocalClient(runtime, author())
        runs = _watch(client, _fire(client, runtime, schedule_id))
    good = sum(run.status == RunStatus.SUCCESS for run in runs)
    click.echo(f"{good} of {len(runs)} runs succeeded.")
    sys.exit(0 if runs and good == len(runs) else 1)


def _make_admin(runtime: Runtime, name: str) -> None:
    password = users.make_first_admin(runtime.database, Act(runtime.now(), author()), name)
    if password is not None:
        click.echo(f"First admin: {name}   password (shown only now): {password}")


def _fire(client: Client, runtime: Runtime, schedule_id: str) -> int:
    """Return the occurrence to watch: fired now if the schedule never fired, else its last one."""
    if client.call(read_schedule, schedule_id=schedule_id).schedule.enabled_at is None:
        # Never switched: from now on the switch is the operators'.
        client.call(enable_schedule, schedule_id=schedule_id, catch_up_latest=True)
    run_tick(runtime, runtime.now(), source="tick first-run")
    last = client.call(read_schedule, schedule_id=schedule_id).schedule.last
    if last is None:
        raise Refused(
            f"{schedule_id} has not fired yet: it was switched on before, and its next instant "
            "is still to come. `tick schedules` says when."
        )
    at = last.scheduled_for or last.decided_at
    click.echo(f"{schedule_id}, slot of {at:%Y-%m-%d %H:%M} UTC:")
    return last.id


def _watch(client: Client, occurrence_id: int) -> Sequence[Run]:
    """Draw the runs until all have ended; with a worker of our own if there is work to do."""
    runs: Sequence[Run] = client.call(read_occurrence, occurrence_id=occurrence_id).runs
    if any(run.is_live for run in runs):
        runs = _work(client, occurrence_id)
    Console().print(_table(runs, client.now()))
    return runs


def _work(client: Client, occurrence_id: int) -> Sequence[Run]:
    with (
        tempfile.TemporaryFile() as said,
        _worker(said) as worker,
        Live(console=Console(), auto_refresh=False, transient=True) as live,
    ):
        while True:
            runs = client.call(read_occurrence, occurrence_id=occurrence_id).runs
            live.update(_table(runs, client.now()), refresh=True)
            if not any(run.is_live for run in runs):
                return runs
            if worker.poll() is not None:
                said.seek(0)
                raise TickError(f"the worker ended by itself and said:\n{said.read().decode()}")
            time.sleep(POLL_SECONDS)


@contextmanager
def _worker(said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    # Its log would tear the drawing: it is shown only if the worker ends by itself.
    command = [sys.executable, "-m", "tick.cli", "worker"]
    with subprocess.Popen(command, stderr=said) as process:
        try:
            yield process
        finally:
            process.terminate()


def _table(runs: Sequence[Run], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "JOB", "GROUP", "STATE", "PROGRESS"):
        table.add_column(heading)
    table.add_column("DURATION", justify="right")
    # What has not started comes last.
    end = datetime.max.replace(tzinfo=UTC)
    for run in sorted(runs, key=lambda run: (run.started_at or end, run.id)):
        mark, style = MARKS[RunStatus(run.status)]
        took = run.took_seconds(now)
        table.add_row(
            Text(mark, style),
            run.job_name,
            run.job_group,
            Text(run.status, style),
            _progress(run),
            "" if took is None else length(took),
        )
    return table


def _progress(run: Run) -> ProgressBar | Text:
    if run.status == RunStatus.SUCCESS:
        return Text("100 %", "dim")
    if run.status == RunStatus.RUNNING:
        return ProgressBar(total=1.0, completed=run.progress or 0.0, width=24)
    return Text(run.reason or run.error_message or run.progress_text or "", "dim")
