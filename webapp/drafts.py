"""Works out what a schedule in the form would do, and what is wrong with it, while it is typed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json

from tick.cron.fields import FIELDS
from tick.define.jobs import JobDefinition
from tick.define.registry import Registry
from tick.errors import InvalidInput, InvalidParams, NotFound
from tick.ops.actions.shared_params import SharedField, read_shared_form, shared_fields
from tick.ops.queries.jobs import latest_run_by_job
from tick.ops.queries.runs import Run
from tick.ops.reports.written_preview import WrittenPreview, preview_written
from tick.states import Mode, ScheduleKind
from webapp.schedule_fields import PARAM, Fields, Meant, meant, shown
from webapp.services import now, reading, runtime

_OF_A_PARAMETER = re.compile(r"params(?: lacks '(\w+)'|: job '[^']*' refuses (\w+))")
_UNNAMED = {"name": "give it a name"}
LABELS = {
    "at": "at",
    "cron": "cron",
    "ends_at": "last instant",
    "environments": "exists in",
    "every": "every",
    "grace": "grace",
    "job_group": "group",
    "max_runs": "at most",
    "mode": "what it runs",
    "starts_at": "first instant",
    "timezone": "time zone",
}


@dataclass(frozen=True)
class Draft:
    """The form of a schedule with its mistakes, by field, and what it would do.

    An option that is None is not given: an edit takes it away.
    """

    fields: Fields
    options: dict[str, Any]
    mistakes: dict[str, str]
    preview: WrittenPreview
    parameters: tuple[SharedField, ...]
    latest: Mapping[str, Run]

    @property
    def written(self) -> dict[str, Any]:
        """Return the options that are given, as a new schedule has them."""
        return {name: value for name, value in self.options.items() if value is not None}

    @property
    def wrong_cron_fields(self) -> tuple[int, ...]:
        """Return the places of the cron fields that the calculator's message is about."""
        said = re.split(r":| never ", self.mistakes.get("cron", ""))[0]
        return tuple(
            number
            for number, field in enumerate(FIELDS)
            if re.search(rf"(?<![-\w]){field.name}(?![-\w])", said)
        )

    def with_mistakes(self, mistakes: Mapping[str, str]) -> "Draft":
        """Return the same draft with more that is wrong."""
        return replace(self, mistakes=self.mistakes | dict(mistakes))


def draft_of(fields: Fields, *, schedule_id: str | None = None, fired: int = 0) -> Draft:
    """Return what the fields mean, and what that would do."""
    registry, found = runtime().registry, meant(fields)
    jobs = _chosen(registry, fields)
    params = _read_params(fields, jobs)
    options = found.options | {"params": params.options or None}
    written = {name: value for name, value in options.items() if value is not None}
    with reading() as connection:
        preview = preview_written(
            connection,
            registry,
            written,
            now(),
            schedule_id=schedule_id or fields.text("id") or None,
            fired=fired,
        )
        latest = latest_run_by_job(connection, preview.jobs)
    mistakes = _by_field(preview, fields) | found.mistakes
    mistakes |= {_param(name): why for name, why in params.mistakes.items()}
    return Draft(fields, options, mistakes, preview, shared_fields(jobs), latest)


def to_save(draft: Draft) -> Draft:
    """Return the draft with the mistakes that only matter once it is saved."""
    return draft if draft.options.get("name") else draft.with_mistakes(_UNNAMED)


def fields_of(options: Mapping[str, Any]) -> Fields:
    """Return the fields of a form for what was written of a schedule."""
    registry = runtime().registry
    plain = shown(options)
    return shown(options, shared_fields(_chosen(registry, plain)))


def told_by(error: InvalidInput) -> dict[str, str]:
    """Return the mistakes of an action by field."""
    return {where.rpartition(".")[2]: why for where, why in error.mistakes}


def _chosen(registry: Registry, fields: Fields) -> Sequence[JobDefinition]:
    """Return the jobs that the form names; none while one of them is unknown."""
    target = {
        "mode": fields.target,
        "job_group": fields.text("job_group"),
        "jobs": [fields.text("job")] if fields.target is Mode.SINGLE_JOB else fields.jobs,
        "with_dependencies": bool(fields.text("with_dependencies")),
    }
    try:
        return [registry.jobs[name] for name in registry.select(target).jobs]
    except NotFound:
        return []


def _read_params(fields: Fields, jobs: Iterable[JobDefinition]) -> Meant:
    """Return the parameters that are filled in, with mistakes by name or of `params_more`."""
    given = {name: text for name, text in fields.params.items() if text}
    mistakes: dict[str, str] = {}
    params: dict[str, Any] = {}
    try:
        params = read_shared_form(jobs, given)
    except InvalidParams as error:
        mistakes |= error.problems
    try:
        more = from_json(fields.text("params_more") or "{}", allow_inf_nan=False)
    except ValueError as error:
        return Meant(params, mistakes | {"params_more": f"This is not JSON: {error}"})
    if not isinstance(more, dict):
        return Meant(params, mistakes | {"params_more": 'Write names and values: {"limit": 20}'})
    return Meant(params | more, mistakes)


def _by_field(preview: WrittenPreview, fields: Fields) -> dict[str, str]:
    """Return the mistakes by the field beside which they stand, those of one field together."""
    found: dict[str, str] = {}
    for option, text in preview.mistakes:
        of_parameter = _OF_A_PARAMETER.match(text)
        name = _param(of_parameter[1] or of_parameter[2]) if of_parameter else option
        if name == "cron" and fields.kind is not ScheduleKind.CRON:
            continue  # it says when in no way, and the field for it says so
        found[name] = f"{found[name]} {text}" if name in found else text
    return found


def _param(name: str) -> str:
    return name if name == "params_more" else f"{PARAM}{name}"
