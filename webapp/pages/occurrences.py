"""The page of an occurrence: its runs as a timeline or a graph, cancelling, retrying, replaying."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.ops.actions import backfill, cancellation, retries
from tick.ops.queries import logs, neighbours, runs
from tick.ops.queries import occurrences as ledger
from tick.ops.reports import why
from tick.ops.reports.expected_end import read_expected_end
from tick.states import Outcome, RunStatus
from tick.text import counted
from webapp import messages, polling, query
from webapp.drawing import gantt, graphs
from webapp.forms import acting
from webapp.links import go_back
from webapp.services import now, read, reading, runtime

blueprint = Blueprint("occurrences", __name__)
GROWS_EVERY_SECONDS = 4
LOG_LINES = 50
MOST_SLOTS = 100


@blueprint.get("/occurrences/<id:occurrence_id>")
@query.takes(
    {"run": query.number_of, "view": query.one_of(("graph",)), "links": query.one_of(("all",))}
)
def show(occurrence_id: int) -> ResponseReturnValue:
    """Show the occurrence with its runs, and the end of the log of the run in the URL."""
    with reading() as connection:
        occurrence = ledger.get_occurrence(connection, occurrence_id)
        queued_since = _blocker_queued_since(connection, occurrence)
        its_runs = runs.runs_of_occurrence(connection, occurrence_id)
        upstream = neighbours.upstream_by_run(connection, occurrence_id)
        is_live = occurrence.is_live
        expected = read_expected_end(connection, occurrence_id, now()) if is_live else None
        logged = next((run for run in its_runs if run.id == query.number("run")), None)
        log = logs.last_lines(connection, logged.id, limit=LOG_LINES) if logged else None
    # The bars of what runs grow by themselves: the tag of the page has to change with them.
    step = now().timestamp() // GROWS_EVERY_SECONDS if is_live else None
    bars = gantt.timeline(its_runs, upstream, now())
    critical = gantt.critical_path(its_runs, upstream, now())
    return polling.page(
        "occurrences/show.html",
        (occurrence, its_runs, upstream, step, log),
        occurrence=occurrence,
        queued_since=queued_since,
        runs=its_runs,
        upstream=upstream,
        expected=expected,
        bars=bars,
        critical=critical,
        lines=gantt.lines(bars, upstream, critical),
        logged=logged,
        log=log,
        nodes=graphs.of_runs(
            its_runs, upstream, link=lambda run_id: url_for("runs.show", run_id=run_id)
        ),
        as_graph=request.args.get("view") == "graph",
    )


def _blocker_queued_since(
    connection: sa.Connection, occurrence: ledger.Occurrence
) -> datetime | None:
    """Return since when the occurrence that blocked it was queued, if no worker had begun it."""
    if occurrence.blocked_by_id is None or occurrence.outcome != Outcome.SKIPPED_OVERLAP:
        return None
    return ledger.queued_until(connection, occurrence.blocked_by_id, occurrence.decided_at)


@blueprint.get("/occurrences/<id:occurrence_id>/why")
def explain(occurrence_id: int) -> ResponseReturnValue:
    """Show why its instant fired or did not: one sentence, and the facts behind it."""
    with reading() as connection:
        occurrence = ledger.get_occurrence(connection, occurrence_id)
        if occurrence.schedule_id is None or occurrence.scheduled_for is None:
            abort(404, "Nobody asks why of what people started.")
        at = occurrence.scheduled_until or occurrence.scheduled_for
        found = why.explain(connection, occurrence.schedule_id, at, now())
    return render_template("occurrences/why.html", occurrence=occurrence, found=found)


@blueprint.get("/occurrences/<id:occurrence_id>/cancel")
def confirm_cancel(occurrence_id: int) -> ResponseReturnValue:
    """Show what cancelling would end; it can't be taken back."""
    with reading() as connection:
        occurrence = ledger.get_occurrence(connection, occurrence_id)
        its_runs = runs.runs_of_occurrence(connection, occurrence_id)
    return render_template(
        "occurrences/cancel.html",
        occurrence=occurrence,
        queued=[run for run in its_runs if run.status == RunStatus.QUEUED],
        running=[run for run in its_runs if run.status == RunStatus.RUNNING],
    )


@blueprint.post("/occurrences/<id:occurrence_id>/cancel")
def cancel(occurrence_id: int) -> ResponseReturnValue:
    """Cancel what is queued, and ask what runs to stop."""
    with acting() as act:
        count = cancellation.cancel_occurrence(runtime().database, act, occurrence_id)
        messages.flash_success(f"Asked to stop: {counted(count, 'run')}.")
    return go_back(url_for("occurrences.show", occurrence_id=occurrence_id))


@blueprint.get("/occurrences/<id:occurrence_id>/slots")
def confirm_slots(occurrence_id: int) -> ResponseReturnValue:
    """Show which of the instants that did not fire would run, the newest MOST_SLOTS of them."""
    occurrence = read(ledger.get_occurrence, occurrence_id)
    first, schedule_id = occurrence.scheduled_for, occurrence.schedule_id
    if first is None or schedule_id is None:
        abort(404, "It stands for no instant of a schedule.")
    last = occurrence.scheduled_until or first
    instants: Sequence[datetime] = ()
    if occurrence.can_be_run:
        with acting():  # only for its refusals: nothing is written yet
            plan = backfill.plan_backfill(runtime().database, schedule_id, first, last, now=now())
            instants = plan.wanted
    return render_template(
        "occurrences/slots.html",
        occurrence=occurrence,
        instants=instants[-MOST_SLOTS:],
        earlier=max(0, len(instants) - MOST_SLOTS),
    )


@blueprint.get("/occurrences/<id:occurrence_id>/retry")
def confirm_retry(occurrence_id: int) -> ResponseReturnValue:
    """Show what a retry would put back."""
    with reading() as connection:
        occurrence = ledger.get_occurrence(connection, occurrence_id)
        its_runs = runs.runs_of_occurrence(connection, occurrence_id)
        back = retries.what_goes_back(connection, occurrence_id)
    again = [run for run in its_runs if run.id in back]
    return render_template("occurrences/retry.html", occurrence=occurrence, again=again)


@blueprint.post("/occurrences/<id:occurrence_id>/retry")
def retry(occurrence_id: int) -> ResponseReturnValue:
    """Run again what failed or was cancelled, and what was skipped because of it."""
    with acting() as act:
        again = retries.retry_occurrence(
            runtime().database,
            act,
            occurrence_id,
            runtime().registry,
            override_overlap="override_overlap" in request.form,
        )
        messages.flash_success(f"Put back into the queue: {counted(len(again), 'run')}.")
    return go_back(url_for("occurrences.show", occurrence_id=occurrence_id))
