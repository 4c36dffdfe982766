"""What a list may be asked for by name: a mistyped one is told, since an empty list looks well."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import click

from tick.cli.desk import Desk
from tick.errors import DefinitionsInvalid
from tick.ops.queries.nearest import did_you_mean
from tick.ops.queries.runs import RunFilter

_RAN: dict[str, Callable[[str], RunFilter]] = {
    "job": lambda name: RunFilter(job_name=name),
    "group": lambda name: RunFilter(job_group=name),
    "worker": lambda name: RunFilter(worker_id=name),
}


class OneOf(click.Choice[str]):
    """A choice whose refusal names the nearest of the choices."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """The refusal."""
        said = super().get_invalid_choice_message(value, ctx)
        guess = did_you_mean(str(value), map(str, self.choices)).strip()
        return f"{said.rstrip('.')}; {guess}" if guess else said


def check_names(desk: Desk, **names: str | None) -> None:
    """Refuse a schedule, job, group or worker that there is not and never was.

    For a list that has turned out empty: what was removed is still found by its history.
    Raises UsageError.
    """
    for kind, name in names.items():
        if name is None or (known := _known(desk, kind)) is None or name in known:
            continue
        if kind in _RAN and desk.runs(_RAN[kind](name), before=None).items:
            continue
        raise click.UsageError(f"There is no {kind} {name!r}; {_advice(kind, name, known)}.")


def _advice(kind: str, name: str, known: Collection[str]) -> str:
    return f"{did_you_mean(name, known)}`tick {_LISTED_BY[kind]}` lists what there is"


def _known(desk: Desk, kind: str) -> Collection[str] | None:
    """The names of that kind; None while the definitions hold mistakes."""
    try:
        return set(_NAMES[kind](desk))
    except DefinitionsInvalid:
        return None


_LISTED_BY = {"schedule": "schedules", "job": "jobs", "group": "jobs", "worker": "workers"}
_NAMES: dict[str, Callable[[Desk], Iterable[str]]] = {
    "schedule": lambda desk: [each.id for each in desk.schedules()],
    "job": lambda desk: [each.name for each in desk.jobs()],
    "group": lambda desk: [each.group for each in desk.jobs()],
    "worker": lambda desk: [each.id for each in desk.workers(None)],
}
