"""`@job`: a Python function with its policy. Pure."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from tick.define.source import source_of

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
    queue: str = "default"
    priority: int = 0
    max_concurrent: int | None = None
    when: Callable[[], object] | None = None
    source: str = ""
    mistakes: tuple[str, ...] = ()
    """What is wrong with it beside what `tick.define.mistakes` looks for."""

    @property
    def max_attempts(self) -> int:
        """The first attempt and its retries."""
        return self.retries + 1

    @property
    def parameters(self) -> dict[str, Any]:
        """The function's parameters that have defaults, with those defaults."""
        signature = inspect.signature(self.function)
        return {
            name: parameter.default
            for name, parameter in signature.parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }


def job(
    *,
    group: str,
    name: str | None = None,
    description: str | None = None,
    depends_on: Iterable[str] = (),
    tolerates: Iterable[str] = (),
    always: bool = False,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    retries: int = 0,
    backoff: float = 10.0,
    max_backoff: float = 600.0,
    idempotent: bool = False,
    queue: str = "default",
    priority: int = 0,
    max_concurrent: int | None = None,
    when: Callable[[], object] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function as a job; the function itself stays as it is.

    Args:
        group: the group it belongs to.
        name, description: by default the function's, with dashes, and its docstring's first line.
        depends_on: names of jobs that must succeed before it, within one firing.
        tolerates: those among `depends_on` whose failure does not hold it back.
        always: run whatever happened to the jobs it depends on (a clean-up).
        timeout: seconds after which the run is killed and fails.
        retries: how often a failed run is tried again.
        backoff: seconds before the first retry; doubles each time up to `max_backoff`, with jitter.
        idempotent: safe to run again after a crash; otherwise a run whose worker died fails.
        queue: the queue that carries it; workers may serve some queues only.
        priority: higher runs first.
        max_concurrent: at most so many runs of it at one time, over all workers.
        when: the worker asks it first, and skips the run unless it answers True; a text says why.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        definition = JobDefinition(
            name=name or function.__name__.replace("_", "-"),
            group=group,
            function=function,
            description=description or _first_line(function),
            depends_on=tuple(depends_on),
            tolerates=frozenset(tolerates),
            always=always,
            timeout_seconds=timeout,
            retries=retries,
            backoff_seconds=backoff,
            max_backoff_seconds=max_backoff,
            idempotent=idempotent,
            queue=queue,
            priority=priority,
            max_concurrent=max_concurrent,
            when=when,
            source=source_of(function),
        )
        setattr(function, ATTRIBUTE, definition)
        return function

    return declare


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]
