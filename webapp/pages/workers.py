"""The page of workers and scheduler: processes, queues, windows and the latest ticks."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from tick.ops.actions import clock_ahead, workers_and_queues
from tick.ops.queries import queues, schedules, workers
from tick.ops.queries.health import read_health_and_ticks
from tick.ops.queries.windows import list_windows
from tick.ops.reports.dry_run import dry_run
from tick.ops.reports.upcoming import list_upcoming
from webapp import messages, polling
from webapp.forms import acting, perform
from webapp.links import go_back
from webapp.services import now, page_status, read, reading, runtime, system_health

blueprint = Blueprint("workers", __name__)
WINDOWS = 10
TICKS = 30


@blueprint.get("/workers")
def index() -> ResponseReturnValue:
    """Show the processes, the queues and the ticks."""
    with reading() as connection:
        processes = workers.list_recent(connection)
        at_work = workers.runs_at_work(connection)
        its_queues = queues.list_queues(connection, runtime().settings.queue_limits)
        health, recent = read_health_and_ticks(connection, now(), page_status())
        its_windows = list_windows(connection, now())
    return polling.page(
        "workers/index.html",
        (health, processes, at_work, its_queues, recent[:TICKS], its_windows),
        health=health,
        processes=processes,
        at_work=at_work,
        queues=its_queues,
        ticks=recent[:TICKS],
        its_windows=its_windows[:WINDOWS],
        stopped=any(window.is_stop for window in its_windows),
        beats_every=runtime().settings.heartbeat_seconds,
    )


@blueprint.get("/scheduler/dry-run")
def preview_tick() -> ResponseReturnValue:
    """Show what a tick would decide at this moment."""
    found = dry_run(runtime().database, runtime().settings, now())
    with reading() as connection:
        names = schedules.schedule_names(connection)
        following = list_upcoming(connection, now(), 1)
    return render_template("workers/dry_run.html", found=found, names=names, following=following)


@blueprint.get("/scheduler/resume-from-now")
def confirm_resume_from_now() -> ResponseReturnValue:
    """Show what bringing schedules back from the future does."""
    return render_template("workers/resume_from_now.html", ahead_to=read(system_health).ahead_to)


@blueprint.post("/scheduler/resume-from-now")
def resume_from_now() -> ResponseReturnValue:
    """Let each schedule that a clock ahead has put into the future go on after now."""
    with acting() as act:
        found = clock_ahead.resume_all_from_now(runtime().database, act)
        messages.flash_success(f"Schedules that go on from now: {len(found.schedules)}.")
    return go_back(url_for("workers.index"))


@blueprint.get("/workers/<worker_id>/drain")
def confirm_drain(worker_id: str) -> ResponseReturnValue:
    """Show what draining does; it can't be taken back."""
    return render_template("workers/drain.html", worker=read(workers.get_worker, worker_id))


@blueprint.post("/workers/<worker_id>/drain")
def drain(worker_id: str) -> ResponseReturnValue:
    """Let a worker finish what it has and end."""
    done = f"Worker {worker_id} takes nothing new, and ends when it is done."
    return perform(url_for("workers.index"), done, workers_and_queues.drain_worker, worker_id)


@blueprint.get("/queues/<name>/pause")
def confirm_pause_queue(name: str) -> ResponseReturnValue:
    """Ask why."""
    return render_template("workers/pause_queue.html", name=name)


@blueprint.post("/queues/<name>/pause")
def pause_queue(name: str) -> ResponseReturnValue:
    """Let no run of the queue begin."""
    done = f"Queue {name} is paused."
    return perform(url_for("workers.index"), done, workers_and_queues.pause_queue, name)


@blueprint.post("/queues/<name>/resume")
def resume_queue(name: str) -> ResponseReturnValue:
    """Let its runs begin again."""
    done = f"Queue {name} goes on."
    return perform(url_for("workers.index"), done, workers_and_queues.resume_queue, name)
