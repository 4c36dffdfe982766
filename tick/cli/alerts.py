"""The commands on alerts: what is wrong, who was told, what is muted, and a test."""

from datetime import datetime, timedelta
from typing import Any

import click

from tick.cli.bulk import at_once
from tick.cli.client import call, open_client
from tick.cli.completion import name_option
from tick.cli.exit_status import ExitStatus
from tick.cli.name_check import check_names
from tick.cli.output import say, show, show_list, show_table, tell, tell_change
from tick.cli.parameters import ID, INSTANT, LENGTH, OneOf, as_json, if_revision, reason_option
from tick.define.alerts import NAMES
from tick.interface.alerts import (
    add_mute,
    close_alert,
    end_mute,
    list_alerts,
    list_mutes,
    read_alert,
)
from tick.interface.alerts import test_channels as test_channels_
from tick.interface.many_schedules import mute_schedules
from tick.ops.queries.alerts import AlertDetail
from tick.ops.schemas import ChannelTests

_RULE = click.option("--rule", type=OneOf(NAMES), help="Only of this rule.")
_SCHEDULE = name_option("schedule", "Only of this schedule.")


@click.group()
def alerts() -> None:
    """Alerts: what is wrong, who was told, what is muted."""


@alerts.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@_RULE
@_SCHEDULE
@as_json
def list_(everything: bool, rule: str | None, schedule: str | None) -> None:
    """List the open alerts, newest first. Exit status 1 when there are some.

    With --all it lists the latest 50, and the exit status is 0.
    """
    state = None if everything else "open"
    with open_client() as client:
        found = client.call(list_alerts, state=state, rule=rule, schedule=schedule).items
        if not found:
            check_names(client, schedule=schedule)
    columns = {
        "id": "ALERT",
        "at": "SINCE (UTC)",
        "resolved_at": "OVER (UTC)",
        "rule": "RULE",
        "title": "WHAT",
        "muted": "MUTED",
        "owed": "OWED",
    }
    show_list(found, columns, "Nothing is wrong.")
    if found and not everything:
        raise SystemExit(ExitStatus.FAILED)


@alerts.command("show")
@click.argument("alert_id", type=ID)
@as_json
def show_(alert_id: int) -> None:
    """Show an alert and each attempt to tell of it."""
    show(call(read_alert, alert=alert_id), _tell_alert)


def _tell_alert(found: AlertDetail) -> None:
    say(f"{found.alert.title}\n\n{found.alert.message}")
    if found.alert.resolution:
        say(f"\n{found.alert.resolution}")
    click.echo()
    columns = {
        "channel": "CHANNEL",
        "event": "TELLS",
        "status": "STATUS",
        "tried": "ATTEMPTS",
        "available_at": "NEXT OR LAST (UTC)",
        "error": "ERROR",
    }
    rows = [vars(each) | {"tried": len(each.attempts)} for each in found.deliveries]
    show_table(columns, rows, "No channel was told: set TICK_ALERT_URLS or TICK_WEBHOOK_URLS.")


@alerts.command()
@click.argument("alert_id", type=ID)
@as_json
def close(alert_id: int) -> None:
    """Call an alert settled that has no end of its own."""
    changed = call(close_alert, alert=alert_id).changed
    tell_change(changed, f"Alert {alert_id} {'is' if changed else 'was'} closed.")


@alerts.command()
@_RULE
@_SCHEDULE
@name_option("label", "Of all schedules with this label.")
@click.option("--for", "length", type=LENGTH, help="For so long: 30m, 2h, 1d.")
@click.option("--until", type=INSTANT, help="Until then.")
@reason_option("Why, for whoever wonders at the silence.", required=True)
@as_json
def mute(
    rule: str | None,
    schedule: str | None,
    label: str | None,
    length: timedelta | None,
    until: datetime | None,
    reason: str,
) -> None:
    """Send nothing for a while.

    Of a schedule, of a rule, of both, or of anything. What is still wrong at the end of it is told
    then. For example: tick alerts mute --schedule nightly --for 2h --reason 'new disks'
    """
    if (length is None) == (until is None):
        raise click.UsageError("Say how long: either --for or --until.")
    with open_client() as client:
        end = until or client.now() + (length or timedelta())
    how: dict[str, Any] = {"until": end, "rule": rule, "reason": reason}
    if label is not None:
        ids = () if schedule is None else (schedule,)
        words = f"is muted until {end:%Y-%m-%d %H:%M %Z}"
        at_once(mute_schedules, ids, label, words, **how)
        return
    made = call(add_mute, schedule_id=schedule, **how)
    ends = f"`tick alerts unmute {made.mute_id}` ends it"
    tell(made, f"Muted until {end:%Y-%m-%d %H:%M %Z}; {ends}.")


@alerts.command()
@as_json
def mutes() -> None:
    """List what is muted, by whom and why."""
    columns = {
        "id": "MUTE",
        "schedule_id": "SCHEDULE",
        "rule": "RULE",
        "until": "UNTIL (UTC)",
        "created_by": "BY",
        "reason": "REASON",
    }
    show_list(call(list_mutes).items, columns, "Nothing is muted.")


@alerts.command()
@click.argument("mute_id", type=ID)
@if_revision
@as_json
def unmute(mute_id: int, revision: str | None) -> None:
    """End a mute before its time."""
    changed = call(end_mute, mute=mute_id, revision=revision).changed
    tell_change(changed, f"Mute {mute_id} {'is' if changed else 'was'} over.")


@alerts.command()
@as_json
def test() -> None:
    """Send a test message to every channel. Exit status 1 when one did not take it."""
    found = call(test_channels_)
    show(found, _tell_test)
    if any(each.error for each in found.items) or not found.items:
        raise SystemExit(ExitStatus.FAILED)


def _tell_test(found: ChannelTests) -> None:
    rows = [vars(each) | {"said": each.error or "took it"} for each in found.items]
    empty = "No channel is set up: set TICK_ALERT_URLS, TICK_WEBHOOK_URLS or TICK_PING_URL."
    show_table({"channel": "CHANNEL", "said": "ANSWER"}, rows, empty)
