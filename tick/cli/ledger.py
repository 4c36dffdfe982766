"""The commands that read the ledger and settle it: next, why, verify, slot, backfill."""

from datetime import datetime, timedelta

import click

from tick.cli.common import as_json, author, ready_runtime, show_json, show_table
from tick.cli.instants import INSTANT
from tick.ops import control
from tick.ops.backfill import plan_backfill, run_backfill
from tick.ops.upcoming import list_upcoming
from tick.ops.verify import Verified
from tick.ops.verify import verify as verify_ledger
from tick.ops.why import explain

_WEEK = timedelta(days=7)


@click.command("next")
@click.option("-n", "count", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--with-off", is_flag=True, help="Also schedules that are off, paused or removed.")
@as_json
def next_(count: int, with_off: bool, as_json: bool) -> None:
    """Show what fires next, over all schedules."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        found = list_upcoming(connection, runtime.now(), count, with_off=with_off)
    rows = [item.as_dict() for item in found]
    if as_json:
        show_json(rows)
        return
    columns = {"at": "AT", "schedule_id": "SCHEDULE", "local": "LOCAL", "fires": "FIRES"}
    show_table(columns, rows, "Nothing is to come: `tick enable SCHEDULE` switches one on.")


@click.command()
@click.argument("schedule_id")
@click.argument("at", type=INSTANT)
@as_json
def why(schedule_id: str, at: datetime, as_json: bool) -> None:
    """Say why SCHEDULE_ID fired AT an instant, or why it did not."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        answer = explain(connection, schedule_id, at, runtime.now())
    if as_json:
        show_json(answer.as_dict())
        return
    click.echo(answer.sentence)
    for fact in answer.facts:
        click.echo(f"  {fact.name + ':':14} {fact.text}")


@click.command()
@click.option("--from", "start", type=INSTANT, help="Default: a week before --to.")
@click.option("--to", "end", type=INSTANT, help="Default: now.")
@as_json
def verify(start: datetime | None, end: datetime | None, as_json: bool) -> None:
    """Prove that no instant fired twice and none is unaccounted for. Exit status 1 if not.

    Reaches back as far as rows are kept (TICK_KEEP_DAYS).
    """
    with ready_runtime() as runtime:
        now = runtime.now()
        end = min(end or now, now)
        kept_since = now - timedelta(days=runtime.settings.keep_days)
        start = max(start or end - _WEEK, kept_since)
        found = verify_ledger(runtime.database, start, end)
    if as_json:
        show_json(found.as_dict())
    else:
        _show_proof(found)
    if not found.ok:
        raise SystemExit(1)


def _show_proof(found: Verified) -> None:
    click.echo(f"{found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC:")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.outcomes.items()))
    click.echo(f"{found.instants} instants of {found.schedules} schedules: {counts or 'none'}.")
    if found.waiting or found.off:
        click.echo(f"{found.waiting} wait for a tick, {found.off} passed while switched off.")
    for violation in found.violations:
        click.echo(
            f"  {violation.schedule_id} {violation.at:%Y-%m-%d %H:%M:%S}: {violation.message}"
        )
    click.echo("No duplicate and no unexplained gap." if found.ok else "The ledger is NOT whole.")


@click.command()
@click.argument("schedule_id")
@click.argument("at", type=INSTANT, nargs=-1, required=True)
@as_json
def slot(schedule_id: str, at: tuple[datetime, ...], as_json: bool) -> None:
    """Run missed or held instants of SCHEDULE_ID as themselves."""
    with ready_runtime() as runtime:
        made = control.run_slots(
            runtime.database, schedule_id, at, now=runtime.now(), author=author()
        )
    _show_made(made, as_json)


@click.command()
@click.argument("schedule_id")
@click.option("--from", "start", type=INSTANT, required=True)
@click.option("--to", "end", type=INSTANT, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def backfill(schedule_id: str, start: datetime, end: datetime, yes: bool, as_json: bool) -> None:
    """Run what SCHEDULE_ID left out in a time.

    Each instant runs by the definition in force then; what has run is skipped.
    """
    with ready_runtime() as runtime:
        now = runtime.now()
        plan = plan_backfill(runtime.database, schedule_id, start, end, now=now)
        if not plan.wanted:
            click.echo(f"Nothing to run: {plan.done} instants have run already.", err=as_json)
            return
        first, last = plan.wanted[0], plan.wanted[-1]
        click.echo(
            f"{len(plan.wanted)} instants from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} "
            f"UTC would run; {plan.done} have run already.",
            err=as_json,
        )
        if not yes:
            click.confirm("Run them?", abort=True, err=as_json)
        made = run_backfill(runtime.database, plan, now=now, author=author())
    _show_made(made, as_json)


def _show_made(made: list[int], as_json: bool) -> None:
    if as_json:
        show_json({"occurrences": made})
        return
    listed = ", ".join(map(str, made[:10])) + (" …" if len(made) > 10 else "")
    click.echo(
        f"Enqueued {len(made)}: {listed}; `tick runs --occurrence ID` shows the runs of one."
    )
