"""One command over several things: each is done by itself, and each has a line of its own."""

from collections.abc import Callable, Iterable, Mapping

import click

from tick.cli.client import Client, open_client
from tick.cli.exit_status import ExitStatus
from tick.cli.output import harmless, say, show_json, tell
from tick.cli.parameters import wants_json
from tick.errors import TickError

Told = tuple[object, str]
"""What was done to one: as facts for JSON, and in words."""
Act = Callable[[Client, str], Told]


def one_by_one(ids: Iterable[str], act: Act, *, of_one: Mapping[str, object]) -> None:
    """Do something to each, and tell of each what came of it, in the order given.

    One that is refused keeps none of the others back, and makes the exit status 1. With JSON one
    thing is an object, several are a list. Raises click.UsageError for an option of `of_one`,
    which means one thing only, beside several.
    """
    # An id that was given twice is done once: the second time would change nothing.
    chosen = list(dict.fromkeys(ids))
    if len(chosen) > 1 and (given := [name for name, value in of_one.items() if value]):
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
