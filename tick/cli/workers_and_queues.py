"""The commands on what does the work: workers and queues."""

import click

from tick.cli.client import call, open_client
from tick.cli.output import show_list, tell_change
from tick.cli.parameters import as_json, if_revision, reason_option
from tick.interface.queues import list_queues, pause_queue, resume_queue
from tick.interface.workers import drain_worker, list_workers
from tick.states import LIVING_WORKERS


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@as_json
def workers(everything: bool) -> None:
    """List the processes: workers and loops."""
    chosen = (None,) if everything else LIVING_WORKERS
    with open_client() as client:
        found = [row for status in chosen for row in client.call(list_workers, status=status).items]
    columns = {
        "id": "WORKER",
        "worker_type": "TYPE",
        "status": "STATUS",
        "hostname": "HOST",
        "pid": "PID",
        "last_heartbeat_at": "LAST BEAT (UTC)",
        "activity": "DOES",
    }
    show_list(found, columns, "No process lives: `tick worker` starts one.")


@click.command()
@click.argument("worker_id")
@as_json
def drain(worker_id: str) -> None:
    """Let a worker finish what it has, take nothing new, and end.

    `tick workers` lists the ids.
    """
    changed = call(drain_worker, worker_id=worker_id).changed
    tell_change(changed, f"Worker {worker_id} {'will drain' if changed else 'drains already'}.")


@click.group()
def queue() -> None:
    """The queues that carry runs to workers."""


@queue.command("list")
@as_json
def list_() -> None:
    """List the queues: what waits, what runs, what is paused."""
    columns = {
        "name": "QUEUE",
        "queued": "QUEUED",
        "running": "RUNNING",
        "limit": "LIMIT",
        "paused_since": "PAUSED SINCE (UTC)",
        "paused_by": "BY",
        "paused_reason": "REASON",
    }
    empty = "Nothing waits or runs, and no queue is paused."
    show_list(call(list_queues).items, columns, empty)


@queue.command()
@click.argument("name")
@reason_option("Why, for whoever finds the queue quiet.", required=True)
@if_revision
@as_json
def pause(name: str, reason: str, revision: str | None) -> None:
    """Let no run of the queue NAME start; what runs goes on."""
    changed = call(pause_queue, queue=name, reason=reason, revision=revision).changed
    tell_change(changed, f"Queue {name} is paused{'' if changed else ' already'}.")


@queue.command()
@click.argument("name")
@if_revision
@as_json
def resume(name: str, revision: str | None) -> None:
    """Let the runs of the queue NAME start again."""
    changed = call(resume_queue, queue=name, revision=revision).changed
    tell_change(changed, f"Queue {name} {'goes on' if changed else 'was not paused'}.")
