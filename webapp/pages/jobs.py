"""Jobs: what the definitions hold, by group or as a graph; one job; running one, a group or all."""

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
from webapp.services import now, reading, runtime

blueprint = Blueprint("jobs", __name__)
RECENT = 30
_FIELD = "param-"


@blueprint.get("/jobs")
@query.takes({"view": query.one_of(("graph",))})
def index() -> ResponseReturnValue:
    """All jobs, by group or as the graph of what waits for what."""
    try:
        groups = runtime().registry.groups
    except DefinitionsInvalid as error:
        return render_template("jobs/index.html", groups={}, latest={}, mistakes=error.mistakes)
    jobs = [job for group in groups.values() for job in group]
    with reading() as connection:
        latest = latest_run_by_job(connection, [job.name for job in jobs])
    return polling.page(
        "jobs/index.html",
        "live",
        latest,
        groups=groups,
        latest=latest,
        nodes=graphs.of_jobs(jobs, latest, link=lambda name: url_for("jobs.show", name=name)),
        as_graph=request.args.get("view") == "graph",
    )


@blueprint.get("/jobs/<name>")
def show(name: str) -> ResponseReturnValue:
    """One job: its policy, what it depends on and what depends on it, its latest runs.

    A job that was removed from the definitions keeps its page for as long as it has runs, and so
    does every job while the definitions hold mistakes.
    """
    jobs = _known_jobs()
    job = jobs.get(name)
    with reading() as connection:
        recent = runs.list_runs(connection, runs.RunFilter(job=name)).items[:RECENT]
    if job is None and not recent:
        raise NotFound(f"No job is called {name!r}; /jobs lists what the definitions hold.")
    ended = _ended(recent)
    return polling.page(
        "jobs/show.html",
        "live",
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
    return _ask_for_params(runtime().registry.job(name), {}, {})


@blueprint.post("/jobs/<name>/run")
def run(name: str) -> ResponseReturnValue:
    """Run one job now, without what it depends on."""
    job, given = runtime().registry.job(name), _filled_in()
    # A form without fields, such as a button, leaves every default as it is.
    asked = given or "fields" in request.form
    try:
        params = read_form(job.function, given) if asked else {}
        return _start(run_now.run_job, f"Job {name}", name, params=params)
    except InvalidParams as error:
        return _ask_for_params(job, given, error.problems)


@blueprint.get("/groups/<name>/run")
def confirm_run_group(name: str) -> ResponseReturnValue:
    """Say what the group holds and what of it is under way, and ask for parameters."""
    return _confirm_group(name, {}, {})


@blueprint.post("/groups/<name>/run")
def run_group(name: str) -> ResponseReturnValue:
    """Run the jobs of a group now, in dependency order."""
    given = _filled_in()
    try:
        params = read_shared_form(_jobs_of(name), given)
        return _start(run_now.run_group, f"Group {name}", name, params=params)
    except InvalidParams as error:
        return _confirm_group(name, given, error.problems)


@blueprint.get("/run-all")
def confirm_run_all() -> ResponseReturnValue:
    """Say what that is and what of it is under way, and ask for parameters."""
    return _confirm_all({}, {})


@blueprint.post("/run-all")
def run_all() -> ResponseReturnValue:
    """Run all jobs now, in dependency order."""
    given = _filled_in()
    try:
        params = read_shared_form(runtime().registry.jobs.values(), given)
        return _start(run_now.run_all, "All jobs", params=params)
    except InvalidParams as error:
        return _confirm_all(given, error.problems)


def _filled_in() -> dict[str, str]:
    """The parameters in the form, by name."""
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


def _confirm_group(
    name: str, given: dict[str, str], problems: dict[str, str]
) -> ResponseReturnValue:
    action = url_for("jobs.run_group", name=name)
    return _confirm(f"Run group {name}?", _jobs_of(name), action, given, problems)


def _confirm_all(given: dict[str, str], problems: dict[str, str]) -> ResponseReturnValue:
    jobs = list(runtime().registry.jobs.values())
    return _confirm("Run all jobs?", jobs, url_for("jobs.run_all"), given, problems)


def _confirm(
    title: str,
    jobs: Sequence[JobDefinition],
    action: str,
    given: dict[str, str],
    problems: dict[str, str],
) -> ResponseReturnValue:
    with reading() as connection:
        under_way = unfinished_of_jobs(connection, [job.name for job in jobs])
    fields = shared_fields(jobs)
    page = render_template(
        "jobs/run_many.html",
        title=title,
        jobs=jobs,
        action=action,
        fields=fields,
        given=given,
        problems=problems,
        elsewhere=_elsewhere(problems, [shared.field for shared in fields]),
        under_way=under_way,
    )
    return _asked_again(page) if problems else page


def _ask_for_params(
    job: JobDefinition, given: dict[str, str], problems: dict[str, str]
) -> ResponseReturnValue:
    """The form; with problems, as it was filled in, in the dialog that it came from."""
    with reading() as connection:
        under_way = unfinished_of_jobs(connection, [job.name])
    fields = fields_of(job.function)
    page = render_template(
        "jobs/run.html",
        job=job,
        fields=fields,
        given=given,
        problems=problems,
        elsewhere=_elsewhere(problems, fields),
        under_way=under_way,
    )
    return _asked_again(page) if problems else page


def _elsewhere(problems: Mapping[str, str], fields: Sequence[Field]) -> list[str]:
    """The problems of what is no field, or stands inside one."""
    names = {field.name for field in fields}
    return [f"{name}: {why}" for name, why in problems.items() if name not in names]


def _asked_again(page: str) -> ResponseReturnValue:
    """The form as it was filled in, in the dialog that it came from."""
    # A browser reports any other status of a form that htmx sent as an error of the page.
    response = make_response(page, 200 if "HX-Request" in request.headers else 422)
    response.headers |= {
        "HX-Retarget": "#dialog",
        "HX-Reselect": "#confirm",
        "HX-Reswap": "innerHTML",
    }
    return response


def _start(
    action: Callable[..., int], what: str, *names: str, params: Mapping[str, Any]
) -> ResponseReturnValue:
    with acting() as act:
        occurrence_id = action(runtime().database, act, *names, runtime().registry, params=params)
        link = url_for("occurrences.show", occurrence_id=occurrence_id)
        messages.flash_success(f"{what}: started.", link=link, label="Watch")
    return go_back(url_for("jobs.index"))


def _known_jobs() -> Mapping[str, JobDefinition]:
    """The jobs by name; none while the definitions hold mistakes."""
    try:
        return runtime().registry.jobs
    except DefinitionsInvalid:
        return {}


def _schedules_of(name: str) -> list[str]:
    """The schedules in code that run the job."""
    registry = runtime().registry
    return [
        schedule.id
        for schedule in registry.schedules.values()
        if name in registry.select(schedule.target()).jobs
    ]


def _ended(recent: Sequence[runs.Run]) -> list[PastRow]:
    """Those that worked to an end, oldest first, as their trend is drawn from."""
    return [
        PastRow(run.id, run.status, run.queued_at, run.queued_at, 1, run.took_seconds(now()))
        for run in reversed(recent)
        if not run.is_live and run.took_seconds(now()) is not None
    ]
