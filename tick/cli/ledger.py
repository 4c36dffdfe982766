"""The commands that read the ledger: ledger, occurrence, why."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from tick.cli.client import call, open_client
from tick.cli.completion import complete_schedules
from tick.cli.name_check import check_names
from tick.cli.output import say, show, show_json, show_list, tell_older
from tick.cli.parameters import ID, INSTANT, OneOf, as_json, wants_json
from tick.cli.runs import show_runs
from tick.interface.occurrences import list_occurrences, read_occurrence
from tick.interface.schedules import explain
from tick.ops.queries.occurrences import Occurrence
from tick.ops.reports.why import Why
from tick.states import Outcome


@click.command()
@click.argument("schedule_id", required=False, shell_complete=complete_schedules)
@click.option("--outcome", type=OneOf(list(Outcome)), help="Only these.")
@click.option("--before", type=ID, help="Only those older than this id, to page on.")
@as_json
def ledger(schedule_id: str | None, outcome: str | None, before: int | None) -> None:
    """List what fired and what did not, newest first.

    The latest 50 occurrences, of SCHEDULE_ID or of all schedules.
    """
    with open_client() as client:
        page = client.call(list_occurrences, schedule=schedule_id, outcome=outcome, before=before)
        if not page.items:
            check_names(client, schedule=schedule_id)
    _show_occurrences(page.items)
    tell_older(page)


def _show_occurrences(found: Sequence[Occurrence]) -> None:
    columns = {
        "id": "OCCURRENCE",
        "name": "OF",
        "scheduled_for": "INSTANT (UTC)",
        **({"nominal_for": "MOVED FROM (UTC)"} if any(row.nominal_for for row in found) else {}),
        "count": "INSTANTS",
        "outcome": "OUTCOME",
        "done": "SUCCEEDED",
        "triggered_by": "BY",
        "reason": "REASON",
    }
    empty = "Nothing is in the ledger: `tick enable SCHEDULE` switches one on."
    show_list(found, columns, empty, _done)


def _done(row: Occurrence) -> Mapping[str, str | None]:
    return {"done": f"{row.succeeded} of {row.runs}" if row.runs else None}


@click.command()
@click.argument("occurrence_id", type=ID)
@as_json
def occurrence(occurrence_id: int) -> None:
    """Show an occurrence and its runs."""
    with open_client() as client:
        found, now = client.call(read_occurrence, occurrence_id=occurrence_id), client.now()
    if wants_json():
        show_json(found)
        return
    _show_occurrences([found.occurrence])
    if found.runs:
        show_runs(found.runs, now)


@click.command()
@click.argument("schedule_id")
@click.argument("at", type=INSTANT)
@as_json
def why(schedule_id: str, at: datetime) -> None:
    """Say why SCHEDULE_ID fired AT an instant, or why it did not."""
    show(call(explain, schedule_id=schedule_id, at=at), _tell_why)


def _tell_why(answer: Why) -> None:
    say(answer.sentence)
    for fact in answer.facts:
        say(f"  {fact.name + ':':14} {fact.text}")
