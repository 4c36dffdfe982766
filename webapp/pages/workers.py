"""Workers and scheduler: the processes that tick and work, their queues, and the latest ticks."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.ops import operating
from tick.ops.queries import ticks, workers
from webapp import live, messages
from webapp.forms import MAX_REASON, acting
from webapp.links import go_back
from webapp.services import now, pulse, reading, runtime

blueprint = Blueprint("workers", __name__)


@blueprint.get("/workers")
def index() -> ResponseReturnValue:
    """The processes, the queues and the ticks."""
    with reading() as connection:
        strip = pulse(connection)
        processes = workers.list_recent(connection)
        queues = workers.list_queues(connection)
        recent = ticks.list_ticks(connection)
    return live.page(
        "workers/index.html",
        "live",
        (strip, processes, queues, recent),
        pulse=strip,
        processes=processes,
        queues=queues,
        ticks=recent,
        beats_every=runtime().settings.heartbeat_seconds,
    )


@blueprint.get("/workers/<worker_id>/drain")
def confirm_drain(worker_id: str) -> ResponseReturnValue:
    """What draining does; it can't be taken back."""
    with reading() as connection:
        worker = workers.get_worker(connection, worker_id)
    return render_template("workers/drain.html", worker=worker)


@blueprint.post("/workers/<worker_id>/drain")
def drain(worker_id: str) -> ResponseReturnValue:
    """Let a worker finish what it has and end."""
    with acting() as author:
        operating.drain_worker(runtime().database, worker_id, now=now(), author=author)
        messages.tell(f"Worker {worker_id} takes nothing new, and ends when it is done.")
    return go_back(url_for("workers.index"))


@blueprint.get("/queues/<name>/pause")
def confirm_pause_queue(name: str) -> ResponseReturnValue:
    """Ask why."""
    return render_template("workers/pause_queue.html", name=name)


@blueprint.post("/queues/<name>/pause")
def pause_queue(name: str) -> ResponseReturnValue:
    """Let no run of the queue begin."""
    reason = request.form.get("reason", "")[:MAX_REASON]
    with acting() as author:
        operating.pause_queue(runtime().database, name, now=now(), author=author, reason=reason)
        messages.tell(f"Queue {name} is paused.")
    return go_back(url_for("workers.index"))


@blueprint.post("/queues/<name>/resume")
def resume_queue(name: str) -> ResponseReturnValue:
    """Let its runs begin again."""
    with acting() as author:
        operating.resume_queue(runtime().database, name, now=now(), author=author)
        messages.tell(f"Queue {name} goes on.")
    return go_back(url_for("workers.index"))
