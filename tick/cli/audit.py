"""`tick audit`: who changed what."""

from collections.abc import Iterator
from typing import Any

import click

from tick.cli.client import call, open_client
from tick.cli.output import show_line, show_list, tell_older
from tick.cli.parameters import ID, INSTANT, as_json
from tick.interface.audit import list_audit
from tick.interface.inputs import arguments_of
from tick.ops.queries.audit import AuditEntry


@click.command()
@click.option("--subject", help="Only changes of what has this id.")
@click.option("--actor", help="Only changes by this person or token:NAME.")
@click.option(
    "--action", help="Only such changes: `schedule.enable`, or `schedule.` for all of them."
)
@click.option("--since", type=INSTANT, help="Only changes since then.")
@click.option("--until", type=INSTANT, help="Only changes before then.")
@click.option("--before", type=ID, help="Only those older than this id, to page on.")
@click.option("--export", is_flag=True, help="Print all of them, a JSON object a line.")
@as_json
def audit(export: bool, **chosen: Any) -> None:
    """List who changed what and why, newest first."""
    if export:
        for entry in _all_changes(chosen):
            show_line(entry)
        return
    page = call(list_audit, **chosen)
    columns = {
        "id": "ID",
        "at": "AT (UTC)",
        "actor": "BY",
        "action": "ACTION",
        "subject": "OF",
        "reason": "REASON",
    }
    show_list(page.items, columns, "No such change.")
    tell_older(page)


def _all_changes(chosen: dict[str, Any]) -> Iterator[AuditEntry]:
    # Not by `client.pages`: whoever keeps the audit for years has more pages than it reads.
    with open_client() as client:
        while True:
            page = client.call(list_audit, **chosen)
            yield from page.items
            if page.next is None:
                return
            chosen |= arguments_of(page.next)
