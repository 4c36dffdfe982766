"""`tick verify`: the proof that the ledger is whole."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import click

from tick.cli.client import open_client
from tick.cli.exit_status import ExitStatus
from tick.cli.output import show
from tick.cli.parameters import INSTANT, as_json
from tick.cli.waiting import progress_bar
from tick.interface.verify_and_plan import verify_ledger
from tick.ops.reports.verify import Proof
from tick.ops.reports.verify_parts import join_parts
from tick.text import counted

_WEEK = timedelta(days=7)


@click.command()
@click.option("--from", "start", type=INSTANT, help="Default: a week before --to.")
@click.option("--to", "end", type=INSTANT, help="Default: now.")
@as_json
def verify(start: datetime | None, end: datetime | None) -> None:
    """Prove that no instant fired twice and none is unaccounted for. Exit status 1 if not.

    What was pruned can't be proven: it reaches back to where the ledger is whole, and says so.
    """
    with open_client() as client:
        now = client.now()
        # Not the operation's own defaults: the bar has to know the whole time from the beginning.
        end = min(end or now, now)
        start = start or end - _WEEK
        if start > end:
            raise click.UsageError("--from lies after --to, or is yet to come.")
        parts = client.pages(verify_ledger, since=start, until=end)
        found = join_parts(list(_watched(parts, start, end)))
    show(found, show_proof)
    if not found.ok:
        raise SystemExit(ExitStatus.FAILED)


def _watched(parts: Iterator[Proof], start: datetime, end: datetime) -> Iterator[Proof]:
    """Yield the parts, with a bar that says how much of the time is proven."""
    with progress_bar() as bar:
        task = bar.add_task("", total=(end - start).days)
        for part in parts:
            said = f"days, to {part.end:%Y-%m-%d}"
            bar.update(task, completed=(part.end - start).days, description=said)
            yield part


def show_proof(found: Proof) -> None:
    """Say what was proven, and whether the ledger is whole."""
    if found.start == found.pruned_to:
        click.echo(f"The ledger is pruned up to {found.start:%Y-%m-%d %H:%M} UTC.")
    click.echo(f"{found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC:")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.outcomes.items()))
    instants, schedules = counted(found.instants, "instant"), counted(found.schedules, "schedule")
    click.echo(f"{instants} of {schedules}: {counts or 'none'}.")
    if found.waiting or found.off:
        click.echo(f"{found.waiting} wait for a tick, {found.off} passed while switched off.")
    for each in found.violations:
        click.echo(f"  {each.schedule_id} {each.at:%Y-%m-%d %H:%M:%S}: {each.message}")
    click.echo("No duplicate and no unexplained gap." if found.ok else "The ledger is NOT whole.")
