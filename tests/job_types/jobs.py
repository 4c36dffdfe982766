"""Definitions for workers with child processes: commands, and jobs with conditions."""

import sys

from tick import command, current_run, job

greets = command(
    "greets",
    [sys.executable, "-c", "import sys; print('hello'); print('oh', file=sys.stderr)"],
    group="tools",
)
never_ends = command(  # noqa: S604
    "never-ends",
    "sh -c 'trap \"\" TERM; sleep 600 & echo $$ $!; while true; do wait; done'",
    group="tools",
    shell=True,
    timeout=0.5,
)


def is_first() -> bool:
    """Whether this is the first attempt."""
    return current_run().attempt == 1


@job(group="tools", when=lambda: "the shop is closed")
def closed() -> None:
    """Never runs, for a reason."""


@job(group="tools", when=lambda: False)
def unwanted() -> None:
    """Never runs."""


@job(group="tools", when=is_first)
def wanted() -> str:
    """Runs, since its condition holds."""
    return "ran"


@job(group="tools", when=lambda: 1 / 0)
def broken() -> None:
    """Has a condition that raises."""


@job(group="tools", depends_on=["closed"])
def after() -> None:
    """Needs the closed one."""


@job(group="tools", depends_on=["closed"], tolerates=["closed"])
def regardless() -> None:
    """Makes do without the closed one."""
