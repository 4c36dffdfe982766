"""The mistakes that one job's declaration can hold. Pure."""

import inspect
from collections.abc import Callable, Iterator

from tick.define.jobs import JobDefinition
from tick.define.wrong_values import NAME, in_choice, in_length, in_number, in_text
from tick.states import Isolation, Unique

_MAX_GROUP = _MAX_QUEUE = 50
MOST_RETRIES, MOST_AT_ONCE, MOST_URGENT = 100, 1_000_000, 1_000_000


def in_job(job: JobDefinition) -> Iterator[str]:
    """Yield the mistakes in a job, without its place."""
    wrong = [*_in_values(job)]
    yield from wrong
    yield from job.mistakes
    if not wrong:  # comparing values of wrong types would raise
        yield from _in_combinations(job)
    yield from _in_function(job.function)
    if job.when is not None:
        yield from _in_condition(job.when)


def _in_values(job: JobDefinition) -> Iterator[str]:
    for name in ("name", "description"):
        yield from in_text(name, getattr(job, name))
    if not isinstance(job.group, str) or not NAME.match(job.group) or len(job.group) > _MAX_GROUP:
        yield f"group {job.group!r} must be lower-case letters, digits and dashes."
    if not isinstance(job.queue, str) or not job.queue.strip() or len(job.queue) > _MAX_QUEUE:
        yield f"queue {job.queue!r} must be a text of at most {_MAX_QUEUE} characters."
    for name in ("timeout", "backoff", "max_backoff"):
        yield from in_length(name, getattr(job, f"{name}_seconds"), 0)
    if job.timeout_seconds == 0:
        yield "timeout must be more than 0 seconds."
    yield from in_number("priority", job.priority, -MOST_URGENT, MOST_URGENT)
    yield from in_number("retries", job.retries, 0, MOST_RETRIES)
    if job.max_concurrent is not None:
        yield from in_number("max_concurrent", job.max_concurrent, 1, MOST_AT_ONCE)
    yield from in_choice("isolation", job.isolation, Isolation)
    if job.unique is not None:
        yield from in_choice("unique", job.unique, Unique)


def _in_combinations(job: JobDefinition) -> Iterator[str]:
    """Yield options that would have no effect beside the others."""
    if strangers := sorted(job.tolerates - set(job.depends_on)):
        yield f"tolerates {strangers[0]!r}, which its depends_on lacks; add it there."
    if job.always and not job.depends_on:
        yield (
            "always has no effect without depends_on; name the jobs that it waits for, or leave it "
            "out."
        )
    if job.retries and job.backoff_seconds > job.max_backoff_seconds:
        yield (
            f"backoff has no effect beyond max_backoff, which is {job.max_backoff_seconds:g}; give "
            "max_backoff as well, or a shorter backoff."
        )
    if job.unique == Unique.JOB and job.max_concurrent is not None:
        yield (
            'max_concurrent has no effect beside unique="job", which lets one run at a time; leave '
            "one of them out."
        )


def _in_function(function: Callable[..., object]) -> Iterator[str]:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        yield "its function yields, so calling it would run none of it; return a value instead."
    parameters = inspect.signature(function).parameters.values()
    if fixed := [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]:
        yield (
            f"parameter {fixed[0]!r} of its function can't be given by name, as parameters are; "
            "remove the / after it."
        )


def _in_condition(when: Callable[[], object]) -> Iterator[str]:
    if not _takes_nothing(when):
        yield "when must be a function that can be called without arguments."
    elif inspect.iscoroutinefunction(when):
        yield "when is an async function, which nobody awaits; write a plain def."


def _takes_nothing(function: Callable[[], object]) -> bool:
    try:
        # By its signature, not by a call: a condition may ask other systems.
        inspect.signature(function).bind()
    except (TypeError, ValueError):
        return False
    return True
