"""Lists are asked for by name: a mistyped one is refused, since an empty list looks well."""

from collections.abc import Callable, Iterable

import click

from tick.cli.client import Client
from tick.errors import DefinitionsInvalid
from tick.interface.jobs import list_jobs
from tick.interface.runs import list_runs
from tick.interface.schedules import list_schedules
from tick.interface.workers import list_workers
from tick.ops.queries.nearest import did_you_mean

# By these, runs are listed, so that a removed one is known by its runs.
_RAN = frozenset({"job", "group", "worker"})
_LISTED_BY = {"schedule": "schedules", "job": "jobs", "group": "jobs", "worker": "workers"}
_NAMES: dict[str, Callable[[Client], Iterable[str]]] = {
    "schedule": lambda client: [each.id for each in client.all(list_schedules)],
    "job": lambda client: [each.name for each in client.all(list_jobs)],
    "group": lambda client: [each.group for each in client.all(list_jobs)],
    "worker": lambda client: [each.id for each in client.call(list_workers).items],
}


def check_names(client: Client, **names: str | None) -> None:
    """Refuse a schedule, job, group or worker that there is not and never was.

    For a list that has turned out empty: what was removed is still found by its history.
    Raises UsageError.
    """
    for kind, name in names.items():
        if name is None:
            continue
        try:
            known = set(_NAMES[kind](client))
        except DefinitionsInvalid:
            continue  # the list itself needs no definitions: their mistakes do not forbid it
        if name in known or (kind in _RAN and client.call(list_runs, **{kind: name}).items):
            continue
        advice = f"{did_you_mean(name, known)}`tick {_LISTED_BY[kind]}` lists what there is"
        raise click.UsageError(f"There is no {kind} {name!r}; {advice}.")
