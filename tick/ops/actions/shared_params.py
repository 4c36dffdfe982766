"""Parameters for many jobs at once: each takes those that its signature names."""

import inspect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tick.define.jobs import JobDefinition
from tick.define.params import share_of
from tick.errors import InvalidParams
from tick.ops.actions.parameters import (
    MAX_TEXT,
    Field,
    check_params,
    fields_of,
    others_given,
    read_text,
)


@dataclass(frozen=True)
class SharedField:
    """A field of a form, and the jobs that take its value. Left empty, it is not given."""

    field: Field
    jobs: tuple[str, ...]


def share_out(
    jobs: Sequence[JobDefinition], params: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return each job's share of the parameters, by its name.

    Raises InvalidParams for one that no job takes, or that a job's function would refuse.
    """
    shares = {job.name: share_of(job.function, params) for job in jobs}
    taken = {name for share in shares.values() for name in share}
    problems = {
        name: [f"none of these jobs takes it{_hint(jobs)}"] for name in params.keys() - taken
    }
    problems = defaultdict(list, problems)
    for job in jobs:
        try:
            check_params(job.function, shares[job.name])
        except InvalidParams as error:
            for name, why in error.problems.items():
                problems[name].append(f"{job.name}: {why}")
    if problems:
        raise InvalidParams({name: "; ".join(whys) for name, whys in sorted(problems.items())})
    return shares


def shared_fields(jobs: Iterable[JobDefinition]) -> tuple[SharedField, ...]:
    """Return the parameters of all jobs as one form; as JSON where their types differ."""
    found: dict[str, list[tuple[str, Field]]] = defaultdict(list)
    for job in jobs:
        for field in fields_of(job.function):
            found[field.name].append((job.name, field))
    return tuple(
        SharedField(_together([field for _, field in takers]), tuple(name for name, _ in takers))
        for takers in found.values()
    )


def read_shared_form(jobs: Iterable[JobDefinition], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters in a filled-in form, to be shared out. Raises InvalidParams."""
    fields = [shared.field for shared in shared_fields(jobs)]
    # Other names are texts: `share_out` refuses them if no job takes them.
    params = others_given(fields, given)
    problems: dict[str, str] = {}
    for field in fields:
        if text := given.get(field.name, "")[:MAX_TEXT]:
            try:
                params[field.name] = read_text(field, text)
            except ValueError as error:
                problems[field.name] = f"This is not JSON: {error}"
    if problems:
        raise InvalidParams(problems)
    return params


def _hint(jobs: Iterable[JobDefinition]) -> str:
    """Return the known parameters by job, for an error."""
    known = [
        f"{job.name} takes {', '.join(parameters)}"
        for job in jobs
        if (parameters := inspect.signature(job.function).parameters)
    ]
    return f" ({'; '.join(known)})" if known else ", nor any other"


def _together(fields: Sequence[Field]) -> Field:
    """Merge the fields that several jobs have under one name."""
    first = fields[0]
    is_same = all((each.kind, each.choices) == (first.kind, first.choices) for each in fields)
    return replace(
        first,
        kind=first.kind if is_same else "json",
        required=any(each.required for each in fields),
        nullable=not any(each.required for each in fields),
        default="",
        choices=first.choices if is_same else (),
        least=None,  # a bound that only some have is left to their own check
        most=None,
    )
