"""`tick audit`: who changed what."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from tick.cli.client import Client, open_client
from tick.cli.output import show_json, show_line, show_table, tell_older
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
def audit(
    subject: str | None,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    export: bool,
    as_json: bool,
) -> None:
    """List who changed what and why, newest first."""
    chosen = {
        "subject": subject,
        "actor": actor,
        "action": action,
        "since": since,
        "until": until,
        "before": before,
    }
    with open_client() as client:
        if export:
            for entry in _all_changes(client, chosen):
                show_line(entry)
            return
        page = client.call(list_audit, **chosen)
    if as_json:
        show_json(page.items)
        return
    columns = {
        "id": "ID",
        "at": "AT (UTC)",
        "actor": "BY",
        "action": "ACTION",
        "subject": "OF",
        "reason": "REASON",
    }
    show_table(columns, [vars(entry) for entry in page.items], "No such change.")
    tell_older(page)


def _all_changes(client: Client, chosen: Mapping[str, Any]) -> Iterator[AuditEntry]:
    asked = dict(chosen)
    while True:
        page = client.call(list_audit, **asked)
        yield from page.items
        if page.next is None:
            return
        asked |= arguments_of(page.next)
