"""The pages of runs: the filtered list, one run with its log, cancelling, retrying."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.ops.actions import cancellation, retries
from tick.ops.queries import logs, neighbours, runs, schedules
from tick.states import RunStatus, Trigger
from webapp import links, messages, polling, query
from webapp.badges import badge
from webapp.copy_snippets import ways_to_copy
from webapp.drawing.clock_changes import find_zone
from webapp.forms import acting, perform
from webapp.links import go_back
from webapp.pages.logs import LOG_FILTER
from webapp.pages.logs import read_filter as read_log_filter
from webapp.presentation import shown_zone
from webapp.run_search import FIELDS, read_search
from webapp.services import known_jobs, now, reading, runtime, system_health

blueprint = Blueprint("runs", __name__)


def _checked(name: str) -> query.Reader:
    """Return a reader that checks one field of the filter, or the line `q`."""

    def read(value: str) -> object:
        line, fields = (value, {}) if name == "q" else ("", {name: value})
        return _search(line, fields)

    return read


SEARCH = {name: _checked(name) for name in ("q", *FIELDS)}


def _with_mistakes(mistakes: tuple[str, ...]) -> str:
    """Render the page with the mistakes of its filter, and no run."""
    with reading() as connection:
        names = schedules.schedule_names(connection)
        health = system_health(connection)
    return render_template("runs/index.html", mistakes=mistakes, health=health, **_choices(names))


def _choices(names: dict[str, str]) -> dict[str, object]:
    """Return the choices of the filter's fields."""
    return {
        "schedule_names": names,
        "statuses": [(status, badge(status).word) for status in RunStatus],
        "triggers": [(trigger, trigger.capitalize()) for trigger in Trigger],
    }


@blueprint.get("/runs")
@query.takes(SEARCH | {"before": query.number_of}, on_mistakes=_with_mistakes)
def index() -> ResponseReturnValue:
    """List runs, newest first, by the filter in the URL."""
    # A form sends its empty fields too; an address to share holds only what was asked.
    if "" in request.args.values():
        return redirect(url_for("runs.index", **links.query_args()))
    with reading() as connection:
        page = runs.list_runs(connection, read_filter(), before=query.number("before"))
        names = schedules.schedule_names(connection)
        health = system_health(connection)
    return polling.page(
        "runs/index.html", (page, health), page=page, health=health, **_choices(names)
    )


def read_filter() -> runs.RunFilter:
    """Return the filter in the URL: the line `q` and the form's fields. Raises InvalidFilter."""
    return _search(request.args.get("q", ""), {name: request.args.get(name, "") for name in FIELDS})


def _search(line: str, fields: Mapping[str, str]) -> runs.RunFilter:
    return read_search(line, fields, now=now(), zone=find_zone(shown_zone()))


@blueprint.get("/runs/<id:run_id>")
@query.takes(LOG_FILTER | {"before": query.number_of, "at": query.number_of})
def show(run_id: int) -> ResponseReturnValue:
    """Show a run: what it is, what became of it, and its log, by default the end of it."""
    before, around = query.number("before"), query.number("at")
    with reading() as connection:
        run = runs.get_run(connection, run_id)
        upstream, downstream = neighbours.neighbours(connection, run_id)
        if around is None:
            log = logs.last_lines(connection, run_id, read_log_filter(), before=before)
        else:
            log = logs.lines_around(connection, run_id, around, read_log_filter())
        attempts = logs.attempts_in_log(connection, run_id) if run.attempt > 1 else ()
        back = run.can_be_retried and retries.what_goes_back(connection, run.occurrence_id, run_id)
        along = len(back) - 1 if back else 0
        cut = logs.count_cut_lines(connection, run_id)
        stored = logs.count_lines(connection, run_id) if cut and not log.lines else 0
    return polling.page(
        "runs/show.html",
        (run, upstream, downstream, attempts, along),
        run=run,
        job=known_jobs().get(run.job_name),
        upstream=upstream,
        downstream=downstream,
        attempts=attempts,
        along=along,
        log=log,
        cut=cut,
        stored=stored,
        find=query.text("q"),
        tail_from=log.last_id or 0,
        follows=run.is_live and before is None and around is None,
        copies=ways_to_copy(run, request.url_root.rstrip("/")),
    )


@blueprint.post("/runs/<id:run_id>/cancel")
def cancel(run_id: int) -> ResponseReturnValue:
    """Ask a run to stop."""
    done = f"Run {run_id} was asked to stop."
    return perform(url_for("runs.show", run_id=run_id), done, cancellation.cancel_run, run_id)


@blueprint.post("/runs/<id:run_id>/retry")
def retry(run_id: int) -> ResponseReturnValue:
    """Put one run back into the queue, with what was skipped because of it unless it goes alone."""
    with acting() as act:
        ids = retries.retry_run(
            runtime().database, act, run_id, runtime().registry, only="only" in request.form
        )
        along = f", with {len(ids) - 1} skipped because of it" if ids[1:] else ""
        messages.flash_success(f"Run {run_id} is in the queue again{along}.")
    return go_back(url_for("runs.show", run_id=run_id))
