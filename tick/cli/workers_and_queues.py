"""The commands on what does the work: workers and queues."""

import click

from tick.cli.client import open_client
from tick.cli.output import show_json, show_table, tell_change
from tick.cli.parameters import as_json, if_revision, reason_option
from tick.interface.queues import list_queues, pause_queue, resume_queue
from tick.interface.workers import drain_worker, list_workers
from tick.states import LIVING_WORKERS


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@as_json
def workers(everything: bool, as_json: bool) -> None:
    """List the processes: workers and loops."""
    chosen = (None,) if everything else LIVING_WORKERS
    with open_client() as client:
        found = [row for status in chosen for row in client.call(list_workers, status=status).items]
    if as_json:
        show_json(found)
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
    rows = [vars(row) for row in found]
    show_table(columns, rows, "No process lives: `tick worker` starts one.")


@click.command()
@click.argument("worker_id")
@as_json
def drain(worker_id: str, as_json: bool) -> None:
    """Let a worker finish what it has, take nothing new, and end.

    `tick workers` lists the ids.
    """
    with open_client() as client:
        changed = client.call(drain_worker, worker_id=worker_id).changed
    said = f"Worker {worker_id} {'will drain' if changed else 'drains already'}."
    tell_change(changed, said, as_json)


@click.group()
def queue() -> None:
    """The queues that carry runs to workers."""


@queue.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the queues: what waits, what runs, what is paused."""
    with open_client() as client:
        found = client.call(list_queues).items
    if as_json:
        show_json(found)
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
    rows = [vars(row) for row in found]
    show_table(columns, rows, "Nothing waits or runs, and no queue is paused.")


@queue.command()
@click.argument("name")
@reason_option("Why, for whoever finds the queue quiet.", required=True)
@if_revision
@as_json
def pause(name: str, reason: str, expected: str | None, as_json: bool) -> None:
    """Let no run of the queue NAME start; what runs goes on."""
    with open_client() as client:
        changed = client.call(pause_queue, queue=name, reason=reason, revision=expected).changed
    tell_change(changed, f"Queue {name} is paused{'' if changed else ' already'}.", as_json)


@queue.command()
@click.argument("name")
@if_revision
@as_json
def resume(name: str, expected: str | None, as_json: bool) -> None:
    """Let the runs of the queue NAME start again."""
    with open_client() as client:
        changed = client.call(resume_queue, queue=name, revision=expected).changed
    tell_change(changed, f"Queue {name} {'goes on' if changed else 'was not paused'}.", as_json)
