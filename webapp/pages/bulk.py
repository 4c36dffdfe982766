"""Retrying or cancelling many runs: a preview that counts them, then the action and its result."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.ops.actions import batches
from tick.ops.actions.batches import MOST_IN_BATCH, BatchDone
from tick.ops.queries import runs
from tick.ops.queries.runs import Run
from tick.states import ENDED_RUNS, UNFINISHED_RUNS, RunStatus
from tick.text import counted
from webapp import messages, query
from webapp.access.permissions import may
from webapp.forms import acting
from webapp.links import go_back
from webapp.pages.runs import SEARCH, read_filter
from webapp.services import reading, runtime

blueprint = Blueprint("bulk", __name__)
REFUSALS_SHOWN = 3


@dataclass(frozen=True)
class BatchAction:
    """An action on many runs, and the statuses of the runs that it is possible for."""

    name: str
    statuses: tuple[RunStatus, ...]
    explanation: str


BATCH_ACTIONS = {
    action.name: action
    for action in (
        BatchAction(
            "retry",
            tuple(status for status in ENDED_RUNS if status is not RunStatus.SUCCESS),
            "Each goes back into the queue of its own occurrence, its attempts numbered on, with "
            "what was skipped because of it.",
        ),
        BatchAction(
            "cancel",
            UNFINISHED_RUNS,
            "Queued ones end at once, and what waits for them is skipped; running ones are asked "
            "to stop.",
        ),
    )
}


@blueprint.get("/runs/bulk")
@query.takes(
    SEARCH
    | {
        "do": query.one_of(BATCH_ACTIONS),
        "which": query.one_of(("chosen", "all")),
        "run": query.number_of,
    },
    lists=("run",),
)
def confirm_runs() -> ResponseReturnValue:
    """Show which runs it would be done to, before anything happens."""
    action = _action(request.args.get("do", ""))
    if not may(f"bulk.{action.name}_runs"):
        abort(403)
    with reading() as connection:
        if request.args.get("which") == "all":
            found = runs.list_matching(
                connection, read_filter(), action.statuses, MOST_IN_BATCH + 1
            )
        else:
            found = runs.runs_by_id(connection, _ids(request.args.getlist("run")))
    fit = [run for run in found if run.status in action.statuses][:MOST_IN_BATCH]
    return render_template(
        "runs/bulk.html",
        action=action,
        runs=fit,
        others=len(found) - len(fit),
        more=len(found) > MOST_IN_BATCH,
        most=MOST_IN_BATCH,
        at_the_same_time=_at_the_same_time(fit),
    )


@blueprint.post("/runs/bulk/retry")
def retry_runs() -> ResponseReturnValue:
    """Retry the runs that the preview showed."""
    with acting() as act:
        batch = batches.retry_runs(
            runtime().database,
            act,
            _ids(request.form.get("runs", "").split(",")),
            runtime().registry,
            override_overlap="override_overlap" in request.form,
            only="only" in request.form,
        )
        _tell("in the queue again", batch)
    return go_back(url_for("runs.index"))


@blueprint.post("/runs/bulk/cancel")
def cancel_runs() -> ResponseReturnValue:
    """Cancel the runs that the preview showed."""
    ids = _ids(request.form.get("runs", "").split(","))
    with acting() as act:
        _tell("cancelled", batches.cancel_runs(runtime().database, act, ids))
    return go_back(url_for("runs.index"))


def _tell(result: str, batch: BatchDone) -> None:
    if batch.done:
        messages.flash_success(f"{counted(len(batch.done), 'run')}: {result}.")
    if batch.refused:
        messages.flash_error(
            f"Not done to {counted(len(batch.refused), 'run')}. {first_of(batch.refused.values())}"
        )


def first_of(refusals: Iterable[str]) -> str:
    """Return the first refusals, and how many more there are."""
    # Flashed messages travel in the session's cookie, of which browsers keep 4 KiB.
    listed = list(refusals)
    rest = len(listed) - REFUSALS_SHOWN
    return " ".join(listed[:REFUSALS_SHOWN]) + (f" And {rest} more." if rest > 0 else "")


def _at_the_same_time(found: list[Run]) -> bool:
    """Return whether several occurrences of one schedule are among them."""
    pairs = {(run.schedule_id, run.occurrence_id) for run in found if run.schedule_id is not None}
    return len(pairs) > len({schedule_id for schedule_id, _ in pairs})


def _action(name: str) -> BatchAction:
    if name not in BATCH_ACTIONS:
        abort(400, "Choose what to do to the runs: retry or cancel.")
    return BATCH_ACTIONS[name]


def _ids(texts: list[str]) -> set[int]:
    """Return the ids that a form sends back as the page gave them."""
    given = [text for text in texts if text.strip()]
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in given):
        abort(400, "That is no number of a run.")
    return {int(text) for text in given}
