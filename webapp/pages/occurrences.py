"""One occurrence: its runs in order, how far they are, who waits for whom, and starting anew."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.ops import retries
from tick.ops.queries import occurrences as ledger
from tick.ops.queries import runs
from webapp import charts, live, messages
from webapp.forms import acting
from webapp.links import go_back
from webapp.services import now, reading, runtime

blueprint = Blueprint("occurrences", __name__)
GROWS_EVERY_SECONDS = 4


@blueprint.get("/occurrences/<id:occurrence_id>")
def show(occurrence_id: int) -> ResponseReturnValue:
    """The occurrence with its runs."""
    with reading() as connection:
        occurrence = ledger.get_occurrence(connection, occurrence_id)
        its_runs = runs.runs_of_occurrence(connection, occurrence_id)
        upstream = runs.upstream_by_run(connection, occurrence_id)
    # The bars of what runs grow by themselves.
    step = now().timestamp() // GROWS_EVERY_SECONDS if occurrence.is_live else None
    return live.page(
        "occurrences/show.html",
        "live",
        (occurrence, its_runs, upstream, step),
        occurrence=occurrence,
        runs=its_runs,
        upstream=upstream,
        bars=charts.timeline(its_runs, now()),
        critical=charts.critical_path(its_runs, upstream, now()),
    )


@blueprint.get("/occurrences/<id:occurrence_id>/retry")
def confirm_retry(occurrence_id: int) -> ResponseReturnValue:
    """What a retry would put back."""
    with reading() as connection:
        occurrence = ledger.get_occurrence(connection, occurrence_id)
        its_runs = runs.runs_of_occurrence(connection, occurrence_id)
    again = [run for run in its_runs if run.can_be_retried]
    return render_template("occurrences/retry.html", occurrence=occurrence, again=again)


@blueprint.post("/occurrences/<id:occurrence_id>/retry")
def retry(occurrence_id: int) -> ResponseReturnValue:
    """Run again what failed or was cancelled, and what was skipped because of it."""
    with acting() as author:
        again = retries.retry_occurrence(
            runtime().database,
            runtime().registry,
            occurrence_id,
            now=now(),
            author=author,
            override_overlap="override_overlap" in request.form,
        )
        messages.tell(f"Put back into the queue: {len(again)} run{'' if len(again) == 1 else 's'}.")
    return go_back(url_for("occurrences.show", occurrence_id=occurrence_id))
