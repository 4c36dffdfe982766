"""The commands that read the ledger and settle it: next, why, verify, slot, backfill."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import click

from tick.cli.client import Client, open_client
from tick.cli.common import as_json, say, show_json, show_table
from tick.cli.instants import DAY_OR_INSTANT, INSTANT, bounds, local
from tick.cli.statuses import ExitStatus, status_of
from tick.cli.waiting import progress_bar, wait_for, wait_option
from tick.interface.proof import verify_ledger
from tick.interface.scheduler import read_upcoming
from tick.interface.schedules import explain, plan_backfill, read_schedule, run_slots
from tick.ops.reports.verify import Proof
from tick.ops.reports.verify_parts import join_parts
from tick.text import counted

_WEEK = timedelta(days=7)


@click.command("next")
@click.option(
    "-n",
    "count",
    default=20,
    show_default=True,
    type=click.IntRange(1, 200),
    help="How many lines.",
)
@click.option("--every", is_flag=True, help="Every instant of each, not only its next one.")
@click.option("--with-off", is_flag=True, help="Also schedules that are off, paused or removed.")
@as_json
def next_(count: int, every: bool, with_off: bool, as_json: bool) -> None:
    """Show what fires next, over all schedules."""
    with open_client() as client:
        found = client.call(
            read_upcoming, count=count, with_off=with_off, once_each=not every
        ).items
    if as_json:
        show_json(found)
        return
    rows = [vars(item) | {"local": local(item.at, item.timezone)} for item in found]
    columns = {"at": "AT (UTC)", "schedule_id": "SCHEDULE", "local": "LOCAL", "fires": "FIRES"}
    if any(item.blackout for item in found):
        columns["blackout"] = "BLACKOUT"
    show_table(columns, rows, "Nothing is to come: `tick enable SCHEDULE` switches one on.")


@click.command()
@click.argument("schedule_id")
@click.argument("at", type=INSTANT)
@as_json
def why(schedule_id: str, at: datetime, as_json: bool) -> None:
    """Say why SCHEDULE_ID fired AT an instant, or why it did not."""
    with open_client() as client:
        answer = client.call(explain, schedule_id=schedule_id, at=at)
    if as_json:
        show_json(answer)
        return
    say(answer.sentence)
    for fact in answer.facts:
        say(f"  {fact.name + ':':14} {fact.text}")


@click.command()
@click.option("--from", "start", type=INSTANT, help="Default: a week before --to.")
@click.option("--to", "end", type=INSTANT, help="Default: now.")
@as_json
def verify(start: datetime | None, end: datetime | None, as_json: bool) -> None:
    """Prove that no instant fired twice and none is unaccounted for. Exit status 1 if not.

    What was pruned can't be proven: it reaches back to where the ledger is whole, and says so.
    """
    with open_client() as client:
        now = client.now()
        end = min(end or now, now)
        start = start or end - _WEEK
        if start > end:
            raise click.UsageError("--from lies after --to, or is yet to come.")
        parts = client.pages(verify_ledger, since=start, until=end)
        found = join_parts(list(_watched(parts, start, end)))
    if as_json:
        show_json(found)
    else:
        show_proof(found)
    if not found.ok:
        raise SystemExit(ExitStatus.FAILED)


def _watched(parts: Iterator[Proof], start: datetime, end: datetime) -> Iterator[Proof]:
    """The parts, with a bar that says how much of the time is proven."""
    with progress_bar() as bar:
        task = bar.add_task("", total=(end - start).days)
        for part in parts:
            bar.update(
                task, completed=(part.end - start).days, description=f"days, to {part.end:%Y-%m-%d}"
            )
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
    for violation in found.violations:
        click.echo(
            f"  {violation.schedule_id} {violation.at:%Y-%m-%d %H:%M:%S}: {violation.message}"
        )
    click.echo("No duplicate and no unexplained gap." if found.ok else "The ledger is NOT whole.")


@click.command()
@click.argument("schedule_id")
@click.argument("at", type=INSTANT, nargs=-1, required=True)
@wait_option
@as_json
def slot(schedule_id: str, at: tuple[datetime, ...], wait: bool, as_json: bool) -> None:
    """Run missed or held instants of SCHEDULE_ID as themselves.

    For example: tick slot nightly 2026-03-29T02:00Z
    """
    with open_client() as client:
        _run_slots(client, schedule_id, at, wait, as_json)


@click.command()
@click.argument("schedule_id")
@click.option(
    "--from", "first", type=DAY_OR_INSTANT, required=True, help="A day, or an instant (UTC)."
)
@click.option("--to", "last", type=DAY_OR_INSTANT, required=True, help="And the last of it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@wait_option
@as_json
def backfill(
    schedule_id: str,
    first: date | datetime,
    last: date | datetime,
    yes: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Run what SCHEDULE_ID left out in a time.

    Days are whole days in the schedule's own time zone, the last one included. Each instant runs by
    the definition in force then; what has run is skipped. For example:
    tick backfill nightly --from 2026-03-01 --to 2026-03-08
    """
    with open_client() as client:
        timezone = client.call(read_schedule, schedule_id=schedule_id).schedule.timing.timezone
        start, end = bounds(first, last, timezone)
        plan = client.call(plan_backfill, schedule_id=schedule_id, since=start, until=end)
        if not plan.wanted:
            click.echo(
                f"Nothing to run; already done: {counted(plan.done, 'instant')}.", err=as_json
            )
            return
        wanted = counted(len(plan.wanted), "instant")
        click.echo(
            f"{wanted} would run, {_span(plan.wanted, timezone)}; already done: {plan.done}.",
            err=as_json,
        )
        if not yes:
            click.confirm("Run them?", abort=True, err=as_json)
        _run_slots(client, schedule_id, plan.wanted, wait, as_json)


def _span(wanted: Sequence[datetime], timezone: str) -> str:
    """The first and the last of them in UTC, and in the schedule's zone where that is another."""
    ends = [wanted[0], wanted[-1]][: len(wanted)]
    in_utc = " to ".join(f"{at:%Y-%m-%d %H:%M}" for at in ends)
    there = " to ".join(local(at, timezone) for at in ends)
    return f"{in_utc} UTC" if timezone == "UTC" else f"{in_utc} UTC ({there})"


def _run_slots(
    client: Client, schedule_id: str, at: Sequence[datetime], wait: bool, as_json: bool
) -> None:
    made = client.call(run_slots, schedule_id=schedule_id, scheduled_for=tuple(at)).occurrence_ids
    outcomes = [each.occurrence.outcome for each in wait_for(client, made)] if wait else []
    if as_json:
        show_json({"occurrences": made, "outcomes": outcomes})
    else:
        listed = ", ".join(map(str, made[:10])) + (" …" if len(made) > 10 else "")
        click.echo(
            f"Enqueued {counted(len(made), 'occurrence')}: {listed}; "
            "`tick runs --occurrence ID` shows the runs of one."
        )
        if counts := Counter(outcomes):
            click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    if wait:
        raise SystemExit(status_of(outcomes))
