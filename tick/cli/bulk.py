"""One command over several things, done one by one or all at once: each has a line of its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import click

from tick.cli.client import Client, call, open_client
from tick.cli.exit_status import ExitStatus
from tick.cli.output import harmless, say, show_json, tell
from tick.cli.parameters import wants_json
from tick.errors import TickError
from tick.interface.operation import Operation
from tick.ops.actions.many_schedules import SchedulesDone

Told = tuple[object, str]
"""What was done to one: as facts for JSON, and in words."""
Act = Callable[[Client, str], Told]


def are_many(schedule_ids: Sequence[str], label: str | None) -> bool:
    """Return whether a command is about many schedules. Raises click.UsageError for none."""
    if not schedule_ids and label is None:
        raise click.UsageError("Name a schedule, or --label for all that have it.")
    return label is not None or len(set(schedule_ids)) > 1


def at_once(
    operation: Operation[SchedulesDone],
    ids: Iterable[str],
    label: str | None,
    words: str,
    *,
    of_one: Mapping[str, object] | None = None,
    **how: object,
) -> None:
    """Do something to the schedules, or to all with a label, by one act; tell of each.

    One that is refused keeps none of the others back, and makes the exit status 1. Raises
    click.UsageError for ids beside a label, and for an option of `of_one`.
    """
    chosen = list(dict.fromkeys(ids))
    if label is not None and chosen:
        raise click.UsageError("Give ids or --label, not both.")
    if given := [name for name, value in (of_one or {}).items() if value]:
        raise click.UsageError(f"{given[0]} is about one of them: give one id beside it.")
    found = call(operation, schedule_ids=tuple(chosen) or None, label=label, **how)
    if wants_json():
        show_json(found)
    else:
        _tell_each(found, chosen or sorted((*found.done, *found.unchanged, *found.refused)), words)
    if found.refused:
        said = len(found.done) + len(found.unchanged)
        say(f"{said} of {said + len(found.refused)} done.", err=True)
        raise SystemExit(ExitStatus.FAILED)


def _tell_each(found: SchedulesDone, ids: Iterable[str], words: str) -> None:
    for each in ids:
        if each in found.refused:
            say(f"{each}: {found.refused[each]}", err=True)
        else:
            say(f"{each} {words}{' already' if each in found.unchanged else ''}.")
    if found.entry_id is not None:
        say(f"`tick undo {found.entry_id}` takes it back.", err=True)


def one_by_one(ids: Iterable[str], act: Act, *, of_one: Mapping[str, object] | None = None) -> None:
    """Do something to each, and tell of each what came of it, in the order given.

    One that is refused keeps none of the others back, and makes the exit status 1. With JSON one
    thing is an object, several are a list. Raises click.UsageError for an option of `of_one`,
    which means one thing only, beside several.
    """
    # An id that was given twice is done once: the second time would change nothing.
    chosen = list(dict.fromkeys(ids))
    if len(chosen) > 1 and (given := [name for name, value in (of_one or {}).items() if value]):
        raise click.UsageError(f"{given[0]} is about one of them: give one id beside it.")
    with open_client() as client:
        if len(chosen) == 1:
            tell(*act(client, chosen[0]))
            return
        facts_of: dict[str, object] = {}
        try:
            refused = _each(client, chosen, act, facts_of)
        finally:
            if wants_json():  # what was done is told, whatever ends the rest
                show_json(list(facts_of.values()))
    if refused:
        say(f"{len(chosen) - refused} of {len(chosen)} done.", err=True)
        raise SystemExit(ExitStatus.FAILED)


def _each(client: Client, ids: Iterable[str], act: Act, facts_of: dict[str, object]) -> int:
    """Do it to each, say each at once unless as JSON, keep its facts; return how many refused."""
    refused = 0
    for each in ids:
        try:
            facts_of[each], said = act(client, each)
        except TickError as error:
            refused += 1
            facts_of[each] = {"id": each, "error": harmless(str(error))}
            say(f"{each}: {error}", err=True)
        else:
            if not wants_json():
                say(said)
    return refused
