"""The log of a run: its live tail, polled or streamed, and the whole of it as a file."""

import time
from collections.abc import Iterator
from itertools import chain
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tick.ops.queries import logs, runs
from tick.states import LogLevel
from webapp import query
from webapp.drawing.log_text import plain
from webapp.presentation import iso
from webapp.services import read, reading, runtime
from webapp.waiting import POLL_SECONDS, take_place

blueprint = Blueprint("logs", __name__)
LEVELS = {
    "warning": (LogLevel.WARNING, LogLevel.ERROR),
    "error": (LogLevel.ERROR,),
    "milestone": (LogLevel.MILESTONE,),
}
# A stream holds a thread of the server, so it ends after a while and the browser asks for another.
MOST_POLLS = 50
POLLS_PER_BEAT = 3
LOG_FILTER = {"level": query.one_of(LEVELS), "q": query.text_of, "wrap": query.one_of(("off",))}
_TAIL = LOG_FILTER | {"after": query.number_of, "attempt": query.number_of}


def read_filter() -> logs.LineFilter:
    """Return which lines the URL asks for: by level, and by a text in them."""
    return logs.LineFilter(LEVELS.get(query.text("level") or "", ()), query.text("q"))


@blueprint.get("/runs/<id:run_id>/tail")
@query.takes(_TAIL)
def tail(run_id: int) -> ResponseReturnValue:
    """Show the lines after `after`, and the place where the next ones will come."""
    after = query.number("after") or 0
    with reading() as connection:
        # The state first: lines that come between the two reads are seen by this or the next tail.
        run = runs.get_run(connection, run_id)
        lines = logs.lines_after(connection, run_id, after, read_filter())
    if not lines and run.is_live:
        return "", 204
    return render_template(
        "runs/_tail.html",
        run=run,
        lines=lines,
        attempt=query.number("attempt") or 0,
        tail_from=lines[-1].id if lines else after,
        follows=run.is_live or bool(lines),
    )


@blueprint.get("/runs/<id:run_id>/stream")
@query.takes(_TAIL)
def stream(run_id: int) -> ResponseReturnValue:
    """Send the same as server-sent events, until the run has ended or the stream is old enough."""
    read(runs.get_run, run_id)
    if (place := take_place()) is None:
        return "", 204  # the browser then goes on polling the tail
    events = _follow(
        current_app._get_current_object(),  # type: ignore[attr-defined]
        request.environ,
        run_id,
        after=request.headers.get("Last-Event-ID", type=int) or query.number("after") or 0,
        attempt=query.number("attempt") or 0,
    )
    response = Response(events, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # else nginx holds events back
    response.call_on_close(place.release)
    return response


@blueprint.get("/runs/<id:run_id>/log.txt")
def download(run_id: int) -> ResponseReturnValue:
    """Send the whole log as plain text, a slice at a time."""
    with reading() as connection:
        runs.get_run(connection, run_id)
        cut = logs.count_cut_lines(connection, run_id)
    headers = {"Content-Disposition": f'attachment; filename="run-{run_id}.log"'}
    notice = [f"This log is not whole: {cut:,} of its lines were cut.\n"] if cut else []
    text = chain(notice, _text(runtime().database.read, run_id))
    return Response(text, headers=headers, content_type="text/plain; charset=utf-8")


def _follow(
    app: Flask, environ: dict[str, Any], run_id: int, *, after: int, attempt: int
) -> Iterator[str]:
    """Yield events until the run or the session has ended, or after MOST_POLLS."""
    for poll in range(MOST_POLLS):
        # A context for each poll: a server may close the stream from another thread.
        with app.request_context(environ):
            if not current_user.is_authenticated:
                return  # the session has ended meanwhile
            with reading() as connection:
                run = runs.get_run(connection, run_id)
                lines = logs.lines_after(connection, run_id, after, read_filter())
            if lines:
                html = render_template("runs/_lines.html", lines=lines, attempt=attempt, run=run)
        if lines:
            after, attempt = lines[-1].id, lines[-1].attempt
            yield _event(html, after)
        elif not run.is_live:
            yield "event: end\ndata:\n\n"
            return
        elif poll % POLLS_PER_BEAT == 0:
            yield ":\n\n"  # a comment: writing it shows whether the browser has left
        if len(lines) < logs.LOG_ROWS:
            time.sleep(POLL_SECONDS)


def _event(html: str, last_id: int) -> str:
    data = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"id: {last_id}\n{data}\n"


def _text(engine: sa.Engine, run_id: int) -> Iterator[str]:
    after = 0
    while True:
        with engine.connect() as connection:
            lines = logs.lines_after(connection, run_id, after, limit=logs.FILE_ROWS)
        if not lines:
            return
        after = lines[-1].id
        yield "".join(
            f"{iso(line.at)} {line.level.upper():<9} {plain(line.message)}\n" for line in lines
        )
