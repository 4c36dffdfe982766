"""The commands for when something went wrong or must stand still: retry, drain, pause a queue."""

import click

from tick.cli.common import as_json, author, ready_runtime, show_json, show_table
from tick.ops import operating, retries
from tick.ops.queries.queues import list_queues
from tick.ops.queries.workers import list_workers
from tick.states import WorkerStatus


@click.command()
@click.argument("run_id", type=int, required=False)
@click.option("--occurrence", type=int, help="What failed in it, and what was skipped for that.")
@click.option("--override-overlap", is_flag=True, help="Even while its schedule still runs.")
def retry(run_id: int | None, occurrence: int | None, override_overlap: bool) -> None:
    """Run again what ended badly, a run or an occurrence's.

    RUN_ID puts back that run; --occurrence ID all that failed, was cancelled or skipped in it. They
    stay the same runs, and their attempts go on being numbered.
    """
    if (run_id is None) == (occurrence is None):
        raise click.UsageError("name either RUN_ID or --occurrence.")
    with ready_runtime() as runtime:
        doors = runtime.database, runtime.registry
        now, who = runtime.now(), author()
        if occurrence is not None:
            ids = retries.retry_occurrence(
                *doors, occurrence, now=now, author=who, override_overlap=override_overlap
            )
        elif run_id is not None:
            new = retries.retry_run(
                *doors, run_id, now=now, author=who, override_overlap=override_overlap
            )
            ids = [run_id] if new else []
    numbers = ", ".join(str(number) for number in ids)
    click.echo(f"Back in the queue: {numbers}." if ids else "It is in the queue already, or runs.")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@as_json
def workers(everything: bool, as_json: bool) -> None:
    """List the processes: workers and loops."""
    chosen = [None] if everything else [WorkerStatus.RUNNING, WorkerStatus.DRAINING]
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        pages = [list_workers(connection, status=status) for status in chosen]
    rows = [vars(row) for page in pages for row in page.rows]
    if as_json:
        show_json(rows)
        return
    columns = {
        "id": "WORKER",
        "worker_type": "TYPE",
        "status": "STATUS",
        "hostname": "HOST",
        "pid": "PID",
        "last_heartbeat_at": "LAST BEAT (UTC)",
        "activity": "DOES",
    }
    show_table(columns, rows, "No process lives: `tick worker` starts one.")


@click.command()
@click.argument("worker_id")
def drain(worker_id: str) -> None:
    """Let a worker finish what it has, take nothing new, and end."""
    with ready_runtime() as runtime:
        new = operating.drain_worker(
            runtime.database, worker_id, now=runtime.now(), author=author()
        )
    click.echo(f"Worker {worker_id} {'will drain' if new else 'drains already'}.")


@click.group()
def queue() -> None:
    """The queues that carry runs to workers."""


@queue.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the queues: what waits, what runs, what is paused."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        rows = [vars(row) for row in list_queues(connection, runtime.settings.queue_limits)]
    if as_json:
        show_json(rows)
        return
    columns = {
        "name": "QUEUE",
        "queued": "QUEUED",
        "running": "RUNNING",
        "limit": "LIMIT",
        "paused_since": "PAUSED SINCE (UTC)",
        "paused_by": "BY",
        "paused_reason": "REASON",
    }
    show_table(columns, rows, "Nothing waits or runs, and no queue is paused.")


@queue.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, for whoever finds the queue quiet.")
def pause(name: str, reason: str) -> None:
    """Let no run of the queue NAME start; what runs goes on."""
    with ready_runtime() as runtime:
        new = operating.pause_queue(
            runtime.database, name, now=runtime.now(), author=author(), reason=reason
        )
    click.echo(f"Queue {name} is paused{'' if new else ' already'}.")


@queue.command()
@click.argument("name")
def resume(name: str) -> None:
    """Let the runs of the queue NAME start again."""
    with ready_runtime() as runtime:
        new = operating.resume_queue(runtime.database, name, now=runtime.now(), author=author())
    click.echo(f"Queue {name} {'goes on' if new else 'was not paused'}.")
