"""Runs: the filtered list, one run with its log, the log's live tail, cancelling, retrying."""

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue

from tick.ops import control, retries
from tick.ops.queries import logs, runs, schedules
from tick.states import LogLevel, RunStatus, Trigger
from webapp import live, messages, query
from webapp.forms import acting
from webapp.links import go_back
from webapp.services import now, pulse, reading, runtime

blueprint = Blueprint("runs", __name__)
LEVELS = {
    "warning": (LogLevel.WARNING, LogLevel.ERROR),
    "error": (LogLevel.ERROR,),
    "milestone": (LogLevel.MILESTONE,),
}
MAX_DOWNLOAD = 20_000


@blueprint.get("/runs")
def index() -> ResponseReturnValue:
    """Runs, newest first, by the filter in the URL."""
    chosen = runs.RunFilter(
        status=query.choice("status", RunStatus),
        trigger=query.choice("trigger", Trigger),
        job_name=query.text("job"),
        job_group=query.text("group"),
        schedule_id=query.text("schedule"),
    )
    with reading() as connection:
        page = runs.list_runs(connection, chosen, before=query.number("before"))
        names = schedules.schedule_names(connection)
        strip = pulse(connection)
    return live.page(
        "runs/index.html",
        "live",
        (page, strip),
        page=page,
        pulse=strip,
        chosen=chosen,
        schedule_names=names,
        statuses=list(RunStatus),
        triggers=list(Trigger),
    )


@blueprint.get("/runs/<id:run_id>")
def show(run_id: int) -> ResponseReturnValue:
    """One run: what it is, what became of it, and the end of its log."""
    level = query.text("level") or ""
    with reading() as connection:
        run = runs.get_run(connection, run_id)
        upstream, downstream = runs.neighbours(connection, run_id)
        log = logs.last_lines(
            connection, run_id, before=query.number("before"), levels=LEVELS.get(level, ())
        )
    return live.page(
        "runs/show.html",
        "live",
        (run, upstream, downstream),
        run=run,
        upstream=upstream,
        downstream=downstream,
        log=log,
        level=level,
        tail_from=log.last_id or 0,
        follows=run.is_live and query.number("before") is None,
    )


@blueprint.get("/runs/<id:run_id>/tail")
def tail(run_id: int) -> ResponseReturnValue:
    """The lines after `after`, and the place where the next ones will come."""
    after, level = query.number("after") or 0, query.text("level") or ""
    with reading() as connection:
        # The state first: lines that come between the two reads are seen by this or the next tail.
        run = runs.get_run(connection, run_id)
        lines = logs.lines_after(connection, run_id, after, levels=LEVELS.get(level, ()))
    if not lines and run.is_live:
        return "", 204
    return render_template(
        "runs/_tail.html",
        run=run,
        lines=lines,
        level=level,
        tail_from=lines[-1].id if lines else after,
        follows=run.is_live or bool(lines),
    )


@blueprint.get("/runs/<id:run_id>/log.txt")
def log(run_id: int) -> ResponseReturnValue:
    """The log as plain text, the newest MAX_DOWNLOAD lines."""
    with reading() as connection:
        run = runs.get_run(connection, run_id)
        page = logs.last_lines(connection, run_id, limit=MAX_DOWNLOAD)
    text = render_template("runs/log.txt", run=run, log=page)
    headers = {"Content-Disposition": f'attachment; filename="run-{run_id}.log"'}
    return Response(text, headers=headers, content_type="text/plain; charset=utf-8")


@blueprint.post("/runs/<id:run_id>/cancel")
def cancel(run_id: int) -> ResponseReturnValue:
    """Ask a run to stop."""
    with acting() as author:
        control.cancel_run(runtime().database, run_id, now=now(), author=author)
        messages.tell(f"Run {run_id} was asked to stop.")
    return go_back(url_for("runs.show", run_id=run_id))


@blueprint.post("/runs/<id:run_id>/retry")
def retry(run_id: int) -> ResponseReturnValue:
    """Put one run back into the queue."""
    with acting() as author:
        retries.retry_run(runtime().database, runtime().registry, run_id, now=now(), author=author)
        messages.tell(f"Run {run_id} is in the queue again.")
    return go_back(url_for("runs.show", run_id=run_id))
