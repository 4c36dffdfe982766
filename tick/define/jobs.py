"""`@job`: a Python function with its policy. Pure."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn, ParamSpec, TypedDict, TypeVar, Unpack, overload

from tick.define.schedules import canonical, short_digest
from tick.define.source import source_of
from tick.define.wrong_values import in_names
from tick.policy.graph import Edge
from tick.states import Isolation, Mode, Unique

P = ParamSpec("P")
R = TypeVar("R")

ATTRIBUTE = "__job__"
DEFAULT_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class JobDefinition:
    """A job as its author declared it. Lengths are seconds."""

    name: str
    group: str
    function: Callable[..., Any]
    description: str = ""
    depends_on: tuple[str, ...] = ()
    tolerates: frozenset[str] = frozenset()
    always: bool = False
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    retries: int = 0
    backoff_seconds: float = 10.0
    max_backoff_seconds: float = 600.0
    idempotent: bool = False
    isolation: str = Isolation.PROCESS
    unique: str | None = None
    queue: str = "default"
    priority: int = 0
    max_concurrent: int | None = None
    when: Callable[[], object] | None = None
    source: str = ""
    # Found in its declaration, and reported with all others: an error there would hide the next.
    mistakes: tuple[str, ...] = ()

    @property
    def max_attempts(self) -> int:
        """The first attempt and its retries."""
        return self.retries + 1

    @property
    def edges(self) -> list[Edge]:
        """Its dependencies."""
        waits = [(name, name in self.tolerates) for name in self.depends_on]
        return [Edge(self.name, name, self.always or fine, fine) for name, fine in waits]

    @property
    def parameters(self) -> dict[str, Any]:
        """The function's parameters that have defaults, with those defaults."""
        signature = inspect.signature(self.function)
        return {
            name: parameter.default
            for name, parameter in signature.parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }

    def unique_key(self, params: Mapping[str, Any]) -> str | None:
        """Return the key that no two unfinished runs of the job may share; None for any number."""
        if self.unique is None:
            return None
        # A parameter that is not given counts with its default: both runs would do the same.
        counted = {} if self.unique == Unique.JOB else self.parameters | dict(params)
        return short_digest(canonical(counted))


def named_by(target: Mapping[str, Any], jobs: Mapping[str, JobDefinition]) -> list[str]:
    """Return the names of a schedule's jobs, without their dependencies."""
    mode = Mode(target["mode"])
    if mode is Mode.GROUP:
        return [job.name for job in jobs.values() if job.group == target["job_group"]]
    return list(jobs if mode is Mode.ALL_JOBS else target["jobs"])


class Policy(TypedDict, total=False):
    """The options of `@job` that every kind of job takes.

    Keys:
        depends_on: names of jobs that must succeed before it, within one firing.
        tolerates: those among `depends_on` whose failure does not hold it back.
        always: run whatever happened to the jobs it depends on (a clean-up).
        retries: how often a failed run is tried again.
        backoff: seconds before the first retry; doubles each time up to `max_backoff`, with jitter.
        idempotent: safe to run again after a crash; otherwise a run whose worker died fails.
        isolation: "process" (default), which can be killed, or "thread", for short waits on others.
        unique: "job" for at most one unfinished run of it, "params" for one per set of parameters.
        queue: the queue that carries it; workers may serve some queues only.
        priority: higher runs first.
        max_concurrent: at most so many runs of it at one time, over all workers.
        when: the worker asks it first, and skips the run unless it answers True; a text says why.
    """

    depends_on: Iterable[str]
    tolerates: Iterable[str]
    always: bool
    retries: int
    backoff: float
    max_backoff: float
    idempotent: bool
    isolation: str
    unique: str | None
    queue: str
    priority: int
    max_concurrent: int | None
    when: Callable[[], object] | None


@overload
def job(
    *,
    group: str,
    name: str | None = None,
    description: str | None = None,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    **policy: Unpack[Policy],
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


# For type checkers: a bare @job, without parentheses, is an error in the editor already.
@overload
def job(function: Callable[..., Any], /) -> NoReturn: ...


def job(
    *misplaced: object,
    group: str | None = None,
    name: str | None = None,
    description: str | None = None,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    **policy: Unpack[Policy],
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function as a job; the function itself stays as it is.

    Raises TypeError for an option that there is not, without a group, and without parentheses.

    Args:
        group: the group it belongs to.
        name, description: by default the function's, with dashes, and its docstring's first line.
        timeout: seconds after which the run is killed and fails.
        policy: see `Policy`.
    """
    if misplaced or group is None:
        raise TypeError(
            'a job belongs to a group: write @job(group="feed") above the function, with the name '
            "of your group; every other option has its name as well"
        )
    options = _as_fields(policy)

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        definition = JobDefinition(
            name=name or function.__name__.replace("_", "-"),
            group=group,
            function=function,
            description=description or _first_line(function),
            timeout_seconds=timeout,
            source=source_of(function),
            **options,
        )
        setattr(function, ATTRIBUTE, definition)
        return function

    return declare


def _as_fields(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options under the names, and in the types, of the definition's fields."""
    known = Policy.__annotations__
    for name in policy.keys() - known.keys():
        near = "".join(f"; did you mean {name}?" for name in get_close_matches(name, known, n=1))
        raise TypeError(f"a job has no option {name!r}{near}")
    lengths = {"backoff", "max_backoff"}
    fields = {f"{name}_seconds" if name in lengths else name: policy[name] for name in policy}
    mistakes = [*_without_retries(policy)]
    for name, kept_as in (("depends_on", tuple), ("tolerates", frozenset)):
        if name in fields:
            wrong = [*in_names(name, fields[name])]
            mistakes += wrong
            fields[name] = kept_as(() if wrong else fields[name])
    return fields | {"mistakes": tuple(mistakes)}


def _without_retries(policy: Mapping[str, Any]) -> Iterator[str]:
    for name in ("backoff", "max_backoff"):
        if name in policy and policy.get("retries", 0) == 0:
            yield f"{name} has no effect without retries; give retries, or leave it out."


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]
