"""The pages of jobs: by group or as a graph, one job, and running one, a group or all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.define.jobs import JobDefinition
from tick.errors import DefinitionsInvalid, InvalidParams, NotFound
from tick.ops.actions import run_now
from tick.ops.actions.parameters import Field, fields_of, read_form
from tick.ops.actions.shared_params import read_shared_form, shared_fields
from tick.ops.queries import runs
from tick.ops.queries.history import PastRow
from tick.ops.queries.jobs import latest_run_by_job, unfinished_of_jobs
from webapp import messages, polling, query
from webapp.drawing import charts, graphs
from webapp.forms import acting
from webapp.links import go_back
from webapp.services import known_jobs, now, read, runtime

blueprint = Blueprint("jobs", __name__)
RECENT = 30
_FIELD = "param-"
NONE: Mapping[str, str] = {}


@blueprint.get("/jobs")
@query.takes({"view": query.one_of(("graph",))})
def index() -> ResponseReturnValue:
    """List all jobs, by group or as the graph of their dependencies."""
    try:
        groups = runtime().registry.groups
    except DefinitionsInvalid as error:
        return render_template("jobs/index.html", groups={}, latest={}, mistakes=error.mistakes)
    jobs = [job for group in groups.values() for job in group]
    latest = read(latest_run_by_job, [job.name for job in jobs])
    return polling.page(
        "jobs/index.html",
        latest,
        groups=groups,
        latest=latest,
        nodes=graphs.of_jobs(jobs, latest, link=lambda name: url_for("jobs.show", name=name)),
        as_graph=request.args.get("view") == "graph",
    )


@blueprint.get("/jobs/<name>")
def show(name: str) -> ResponseReturnValue:
    """Show a job: its policy, its dependencies both ways, its latest runs."""
    jobs = known_jobs()
    job = jobs.get(name)
    recent = read(runs.list_runs, runs.RunFilter(job=name)).items[:RECENT]
    # A removed job keeps its page while it has runs, and so does every job while the definitions
    # hold mistakes.
    if job is None and not recent:
        raise NotFound(f"No job is called {name!r}; /jobs lists what the definitions hold.")
    ended = _ended(recent)
    return polling.page(
        "jobs/show.html",
        recent,
        name=name,
        job=job,
        broken=not jobs,
        fields=fields_of(job.function) if job else (),
        needed_by=[each for each in jobs.values() if name in each.depends_on],
        schedules=_schedules_of(name) if job else [],
        recent=recent,
        trend=charts.trend(ended),
        ended=len(ended),
    )


@blueprint.get("/jobs/<name>/run")
def confirm_run(name: str) -> ResponseReturnValue:
    """Ask for its parameters, and say what of it is under way."""
    return _ask_for_params(runtime().registry.job(name))


@blueprint.post("/jobs/<name>/run")
def run(name: str) -> ResponseReturnValue:
    """Run one job now, without what it depends on."""
    job, given = runtime().registry.job(name), _filled_in()
    # A form without fields, such as a button, leaves every default as it is.
    asked = given or "fields" in request.form
    try:
        params = read_form(job.function, given) if asked else {}
        return _start(run_now.run_job, f"job {name}", name, params=params)
    except InvalidParams as error:
        return _ask_for_params(job, given, error.problems)


@blueprint.get("/groups/<name>/run")
def confirm_run_group(name: str) -> ResponseReturnValue:
    """Show the jobs of the group and which are under way, and ask for parameters."""
    address = url_for("jobs.run_group", name=name)
    return _ask_for_shared_params(f"group {name}", address, _jobs_of(name))


@blueprint.post("/groups/<name>/run")
def run_group(name: str) -> ResponseReturnValue:
    """Run the jobs of a group now, in dependency order."""
    return _run_many(f"group {name}", _jobs_of(name), run_now.run_group, name)


@blueprint.get("/run-all")
def confirm_run_all() -> ResponseReturnValue:
    """Show all jobs and which are under way, and ask for parameters."""
    jobs = list(runtime().registry.jobs.values())
    return _ask_for_shared_params("all jobs", url_for("jobs.run_all"), jobs)


@blueprint.post("/run-all")
def run_all() -> ResponseReturnValue:
    """Run all jobs now, in dependency order."""
    return _run_many("all jobs", list(runtime().registry.jobs.values()), run_now.run_all)


def _run_many(
    what: str, jobs: Sequence[JobDefinition], action: Callable[..., int], *names: str
) -> ResponseReturnValue:
    given = _filled_in()
    try:
        params = read_shared_form(jobs, given)
        return _start(action, what, *names, params=params)
    except InvalidParams as error:
        address = url_for(str(request.endpoint), **(request.view_args or {}))
        return _ask_for_shared_params(what, address, jobs, given, error.problems)


def _filled_in() -> dict[str, str]:
    """Return the parameters in the form, by name."""
    return {
        key.removeprefix(_FIELD): value
        for key, value in request.form.items()
        if key.startswith(_FIELD)
    }


def _jobs_of(group: str) -> Sequence[JobDefinition]:
    jobs = runtime().registry.groups.get(group)
    if jobs is None:
        raise NotFound(f"No group is called {group!r}; /jobs lists what the definitions hold.")
    return jobs


def _ask_for_params(
    job: JobDefinition, given: Mapping[str, str] = NONE, problems: Mapping[str, str] = NONE
) -> ResponseReturnValue:
    fields = fields_of(job.function)
    return _ask("jobs/run.html", [job], fields, given, problems, {"job": job, "fields": fields})


def _ask_for_shared_params(
    what: str,
    address: str,
    jobs: Sequence[JobDefinition],
    given: Mapping[str, str] = NONE,
    problems: Mapping[str, str] = NONE,
) -> ResponseReturnValue:
    shared = shared_fields(jobs)
    fields = [each.field for each in shared]
    page = {"title": f"Run {what}?", "action": address, "fields": shared}
    return _ask("jobs/run_many.html", jobs, fields, given, problems, page)


def _ask(
    template: str,
    jobs: Sequence[JobDefinition],
    fields: Sequence[Field],
    given: Mapping[str, str],
    problems: Mapping[str, str],
    page: Mapping[str, object],
) -> ResponseReturnValue:
    """Return the form; with problems, as it was filled in, in the dialog that it came from."""
    names = {field.name for field in fields}
    # Problems of what is no field, or stands inside one, have no place beside a field.
    elsewhere = [f"{name}: {why}" for name, why in problems.items() if name not in names]
    under_way = read(unfinished_of_jobs, [job.name for job in jobs])
    html = render_template(
        template,
        jobs=jobs,
        given=given,
        problems=problems,
        elsewhere=elsewhere,
        under_way=under_way,
        **page,
    )
    if not problems:
        return html
    # A browser reports any other status of a form that htmx sent as an error of the page.
    response = make_response(html, 200 if "HX-Request" in request.headers else 422)
    place = {"HX-Retarget": "#dialog", "HX-Reselect": "#confirm", "HX-Reswap": "innerHTML"}
    response.headers |= place
    return response


def _start(
    action: Callable[..., int], what: str, *names: str, params: Mapping[str, Any]
) -> ResponseReturnValue:
    with acting() as act:
        occurrence_id = action(runtime().database, act, *names, runtime().registry, params=params)
        link = url_for("occurrences.show", occurrence_id=occurrence_id)
        messages.flash_success(f"{what[0].upper()}{what[1:]}: started.", link=link, label="Watch")
    return go_back(url_for("jobs.index"))


def _schedules_of(name: str) -> list[str]:
    """Return the schedules in code that run the job."""
    registry = runtime().registry
    return [
        schedule.id
        for schedule in registry.schedules.values()
        if name in registry.select(schedule.target()).jobs
    ]


def _ended(recent: Sequence[runs.Run]) -> list[PastRow]:
    """Return the runs that have a length and ended, oldest first, as a trend is drawn of them."""
    return [
        PastRow(run.id, run.status, run.queued_at, run.took_seconds(now()), run.queued_at, 1)
        for run in reversed(recent)
        if not run.is_live and run.took_seconds(now()) is not None
    ]
