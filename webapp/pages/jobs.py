"""Jobs: what the definitions hold, by group, with what became of the latest run of each."""

from collections.abc import Callable

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from tick.errors import DefinitionsInvalid
from tick.ops import control
from tick.ops.queries.jobs import latest_run_by_job
from webapp import live, messages
from webapp.forms import acting, idempotency_key
from webapp.links import go_back
from webapp.services import now, reading, runtime

blueprint = Blueprint("jobs", __name__)


@blueprint.get("/jobs")
def index() -> ResponseReturnValue:
    """All jobs by group."""
    try:
        groups = runtime().registry.groups
    except DefinitionsInvalid as error:
        return render_template("jobs/index.html", groups={}, latest={}, mistakes=error.mistakes)
    names = [job.name for jobs in groups.values() for job in jobs]
    with reading() as connection:
        latest = latest_run_by_job(connection, names)
    return live.page("jobs/index.html", "live", latest, groups=groups, latest=latest)


@blueprint.post("/jobs/<name>/run")
def run(name: str) -> ResponseReturnValue:
    """Run one job now, without what it depends on."""
    return _start(control.run_job, f"Job {name}", name)


@blueprint.post("/groups/<name>/run")
def run_group(name: str) -> ResponseReturnValue:
    """Run the jobs of a group now, in dependency order."""
    return _start(control.run_group, f"Group {name}", name)


@blueprint.post("/jobs/run")
def run_all() -> ResponseReturnValue:
    """Run all jobs now, in dependency order."""
    return _start(control.run_all, "All jobs")


def _start(action: Callable[..., int], what: str, *names: str) -> ResponseReturnValue:
    with acting() as author:
        occurrence_id = action(
            runtime().database,
            runtime().registry,
            *names,
            now=now(),
            author=author,
            key=idempotency_key(what),
        )
        link = url_for("occurrences.show", occurrence_id=occurrence_id)
        messages.tell(f"{what}: started.", link=link, label="Watch")
    return go_back(url_for("jobs.index"))
