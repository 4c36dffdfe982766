"""The mistakes in a schedule's target: jobs, mode and parameters. Pure."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tick.define.jobs import ATTRIBUTE, JobDefinition, named_by
from tick.define.params import params_adapter, required_by, share_of, validate_params
from tick.define.schedules import Schedule
from tick.define.wrong_values import did_you_mean, in_choice, in_names, in_text, why_unstorable
from tick.errors import InvalidParams
from tick.policy.graph import find_cycle, select
from tick.states import Mode

_OPTION = {Mode.SINGLE_JOB: "job", Mode.GROUP: "job_group", Mode.CUSTOM: "jobs"}


def in_target(schedule: Schedule, jobs: Sequence[JobDefinition]) -> Iterator[str]:
    """Yield the mistakes in a schedule's target, without its place."""
    wrong = [*_in_mode(schedule)] or [*_in_named(schedule, jobs)]
    yield from wrong
    unusable = [*_in_params(schedule.params)]
    yield from unusable
    if not wrong and not unusable:
        chosen = _chosen(schedule, jobs)
        yield from _not_taken(schedule.params, chosen)
        for job in chosen:
            yield from _in_share(job, schedule.params)


def _in_mode(schedule: Schedule) -> Iterator[str]:
    named = [option for option in _OPTION.values() if getattr(schedule, option) is not None]
    if schedule.mode is not None and schedule.mode not in list(Mode):
        yield from in_choice("mode", schedule.mode, Mode)
    elif len(named) > 1:
        yield f"says what to run by {' and '.join(named)}; give one of job, job_group and jobs."
    elif schedule.mode is not None and schedule.mode != schedule.implied_mode:
        option = _OPTION.get(Mode(schedule.mode))
        if not named:
            yield f"mode {schedule.mode} names no job: set {option}."
        else:
            yield (
                f"mode {schedule.mode} contradicts {named[0]}, which means "
                f"{schedule.implied_mode}; leave mode out"
                f"{'' if option is None else f', or give {option} instead of {named[0]}'}."
            )
    elif schedule.with_dependencies and schedule.implied_mode is Mode.ALL_JOBS:
        yield "with_dependencies has no effect when all jobs run; leave it out."


def _in_named(schedule: Schedule, jobs: Sequence[JobDefinition]) -> Iterator[str]:
    if schedule.job is not None:
        yield from _in_one("job", schedule.job) or _unknown("job", [schedule.job], jobs)
    elif schedule.jobs is not None:
        yield from [*in_names("jobs", schedule.jobs)] or _unknown("jobs", schedule.jobs, jobs)
    elif schedule.job_group is not None:
        yield from _in_one("job_group", schedule.job_group) or _in_group(schedule.job_group, jobs)
    elif not jobs:
        yield "runs all jobs, and there are none; define one with @job."


def _in_one(option: str, name: object) -> list[str]:
    declared = getattr(name, ATTRIBUTE, None)
    if isinstance(declared, JobDefinition):
        return [f"{option} is a function; write its name, {declared.name!r}."]
    return [*in_text(option, name)]


def _in_group(group: str, jobs: Sequence[JobDefinition]) -> Iterator[str]:
    known = [job.group for job in jobs]
    if group not in known:
        yield (
            f"group {group!r} is empty: no job is in it{did_you_mean(group, known)}; "
            "add a job to it or name another group."
        )


def _unknown(option: str, names: Sequence[str], jobs: Sequence[JobDefinition]) -> Iterator[str]:
    known = [job.name for job in jobs]
    if not names:
        yield f"names no job: set {option}, or leave it out to run all of them."
    for name in names:
        if name not in known:
            yield f"{option} names unknown job {name!r}{did_you_mean(name, known)}."


def _in_params(params: object) -> Iterator[str]:
    if not isinstance(params, Mapping):
        yield f"params cannot be stored as JSON by name: write a dict, not {params!r}."
    elif wrong := [name for name in params if not isinstance(name, str)]:
        yield f"params cannot be stored as JSON by name: {wrong[0]!r} is no text."
    elif why := why_unstorable(dict(params)):
        yield f"params {why}."


def _chosen(schedule: Schedule, jobs: Sequence[JobDefinition]) -> list[JobDefinition]:
    """Return the jobs that it runs."""
    edges = [edge for job in jobs for edge in job.edges]
    by_name = {job.name: job for job in jobs}
    # Mistakes in dependencies are reported by themselves: no order follows from these.
    if find_cycle(edges) or any(edge.depends_on not in by_name for edge in edges):
        return []
    wanted = named_by(schedule.target(), by_name)
    chosen = select(wanted, edges, include=schedule.with_dependencies)
    return [by_name[name] for name in chosen.jobs]


def _not_taken(params: Mapping[str, Any], chosen: Sequence[JobDefinition]) -> Iterator[str]:
    if not params or not chosen:
        return
    taken = {name for job in chosen for name in share_of(job.function, params)}
    known = sorted({name for job in chosen for name in inspect.signature(job.function).parameters})
    for name in params.keys() - taken:
        there = f"they take {', '.join(known)}" if known else "they take none"
        yield (
            f"params has {name!r}, which none of its jobs takes{did_you_mean(name, known)}; "
            f"{there}."
        )


def _in_share(job: JobDefinition, params: Mapping[str, Any]) -> Iterator[str]:
    """Yield the parameters that the job's function lacks or would refuse."""
    share = share_of(job.function, params) if params else {}
    if lacking := [name for name in required_by(job.function) if name not in share]:
        yield (
            f"params lacks {lacking[0]!r}, which job {job.name!r} can't run without; give it here, "
            "or a default in the function."
        )
    elif share and _is_typed(job):
        try:
            validate_params(job.function, share)
        except InvalidParams as error:
            for name, why in error.problems.items():
                yield f"params: job {job.name!r} refuses {name}: {why}."


def _is_typed(job: JobDefinition) -> bool:
    try:
        params_adapter(job.function)
    except Exception:  # annotations may name what only the worker imports
        return False
    return True
