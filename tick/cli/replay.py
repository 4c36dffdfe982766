"""The commands that run what did not fire: slot, backfill."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import click

from tick.cli.backfills import outcomes_of, wait_for_backfill
from tick.cli.client import Client, open_client
from tick.cli.exit_status import status_of
from tick.cli.output import local, show_json, tell
from tick.cli.parameters import (
    DAY_OR_INSTANT,
    INSTANT,
    OneOf,
    as_json,
    reason_option,
    wants_json,
)
from tick.cli.waiting import wait_for, wait_option
from tick.cron.zone_data import find_zone
from tick.interface.backfills import size_backfill, start_backfill
from tick.interface.schedules import read_schedule, run_slots
from tick.ops.actions.backfill import MOST_PARALLEL
from tick.policy.instants import just_before
from tick.states import BackfillOverlap
from tick.text import counted
from tick.utc import utc


@click.command()
@click.argument("schedule_id")
@click.argument("at", type=INSTANT, nargs=-1, required=True)
@wait_option
@as_json
def slot(schedule_id: str, at: tuple[datetime, ...], wait: bool) -> None:
    """Run missed or held instants of SCHEDULE_ID as themselves.

    For example: tick slot nightly 2026-03-29T02:00Z
    """
    with open_client() as client:
        _run_instants(client, schedule_id, at, wait)


@click.command()
@click.argument("schedule_id")
@click.option(
    "--from", "first", type=DAY_OR_INSTANT, required=True, help="A day, or an instant (UTC)."
)
@click.option("--to", "last", type=DAY_OR_INSTANT, required=True, help="And the last of it.")
@click.option(
    "--overlap",
    type=OneOf([each.value for each in BackfillOverlap]),
    default=BackfillOverlap.WAIT.value,
    show_default=True,
    help="WAIT: make way for its own firings; ALLOW: run beside them.",
)
@click.option(
    "--max-parallel",
    type=click.IntRange(1, MOST_PARALLEL),
    default=1,
    show_default=True,
    help="How many instants run at one time.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@reason_option("Why, for the audit.")
@wait_option
@as_json
def backfill(
    schedule_id: str,
    first: date | datetime,
    last: date | datetime,
    yes: bool,
    wait: bool,
    **how: Any,
) -> None:
    """Run what SCHEDULE_ID left out in a time.

    Days are whole days in the schedule's own time zone, the last one included. Each instant runs by
    the definition in force then; what has run is skipped. Ticks queue them, a few at a time; see
    `tick backfills`. For example:
    tick backfill nightly --from 2026-03-01 --to 2026-03-08
    """
    # With --json, standard output is for the result: what is asked and said stands beside it.
    aside = wants_json()
    with open_client() as client:
        timezone = client.call(read_schedule, schedule_id=schedule_id).schedule.timing.timezone
        start, end = bounds(first, last, timezone)
        size = client.call(size_backfill, schedule_id=schedule_id, since=start, until=end)
        if not size.wanted:
            done = counted(size.done, "instant")
            click.echo(f"Nothing to run; already done: {done}.", err=aside)
            return
        ends = [at for at in (size.first, size.last) if at is not None]
        span = _span(ends if size.first != size.last else ends[:1], timezone)
        wanted = counted(size.wanted, "instant")
        click.echo(f"{wanted} would run, {span}; already done: {size.done}.", err=aside)
        if not yes:
            click.confirm("Run them?", abort=True, err=aside)
        found = client.call(start_backfill, schedule_id=schedule_id, since=start, until=end, **how)
        if wait:
            found = wait_for_backfill(client, found)
    advice = f"`tick backfills show {found.id}` tells how far it is."
    state = f"is {found.state}" if wait else "is begun, and ticks work it off"
    tell(found, f"Backfill {found.id} {state}; {advice}")
    if wait:
        raise SystemExit(status_of(outcomes_of(found)))


def bounds(
    first: date | datetime, last: date | datetime, timezone: str
) -> tuple[datetime, datetime]:
    """Return the first and the last instant; of days, the whole of them in the zone."""
    zone = find_zone(timezone)
    begin = first if isinstance(first, datetime) else datetime.combine(first, time(), zone)
    if isinstance(last, datetime):
        return utc(begin), utc(last)
    # From midnight to midnight, not 24 hours on: a day with a clock change has 23 or 25.
    midnight = utc(datetime.combine(last + timedelta(days=1), time(), zone))
    return utc(begin), just_before(midnight)


def _span(wanted: Sequence[datetime], timezone: str) -> str:
    """Return the first and the last in UTC, and in the schedule's zone where that is another."""
    ends = [wanted[0], wanted[-1]][: len(wanted)]
    in_utc = " to ".join(f"{at:%Y-%m-%d %H:%M}" for at in ends)
    there = " to ".join(local(at, timezone) for at in ends)
    return f"{in_utc} UTC" if timezone == "UTC" else f"{in_utc} UTC ({there})"


def _run_instants(client: Client, schedule_id: str, at: Sequence[datetime], wait: bool) -> None:
    made = client.call(run_slots, schedule_id=schedule_id, scheduled_for=tuple(at)).occurrence_ids
    outcomes = [each.occurrence.outcome for each in wait_for(client, made)] if wait else []
    if wants_json():
        show_json({"occurrences": made, "outcomes": outcomes})
    else:
        listed = ", ".join(map(str, made[:10])) + (" …" if len(made) > 10 else "")
        advice = "`tick runs --occurrence ID` shows the runs of one."
        click.echo(f"Enqueued {counted(len(made), 'occurrence')}: {listed}; {advice}")
        if counts := Counter(outcomes):
            click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    if wait:
        raise SystemExit(status_of(outcomes))
