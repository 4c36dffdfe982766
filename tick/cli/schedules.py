"""The commands on schedules: list, show one, switch on, switch off, pause, resume."""

from collections.abc import Sequence
from datetime import datetime

import click

from tick.cli.bulk import Told, are_many, at_once, one_by_one
from tick.cli.client import Client, call, open_client
from tick.cli.completion import (
    complete_schedules,
    label_option,
    name_option,
    schedules_argument,
)
from tick.cli.exit_status import ExitStatus
from tick.cli.output import local, say, show, show_json, show_list
from tick.cli.parameters import ID, INSTANT, as_json, if_revision, reason_option, wants_json
from tick.interface.many_schedules import (
    disable_schedules,
    enable_schedules,
    pause_schedules,
    resume_schedules,
    undo_schedules,
)
from tick.interface.scheduler import resume_all_from_now
from tick.interface.schedules import (
    disable_schedule,
    enable_schedule,
    list_schedules,
    pause_schedule,
    read_schedule,
    resume_schedule,
    resume_schedule_from_now,
)
from tick.ops.actions.clock_ahead import BroughtBack
from tick.ops.actions.many_schedules import SchedulesDone
from tick.ops.queries.schedules import Schedule
from tick.ops.reports.upcoming import Policy
from tick.states import ScheduleState
from tick.text import counted

schedule_argument = click.argument("schedule_id", shell_complete=complete_schedules)


@click.command()
@name_option("label", "Only those with this label.")
@as_json
def schedules(label: str | None) -> None:
    """List the schedules with their last and next firing."""
    with open_client() as client:
        found = client.all(list_schedules, label=label)
    columns = {
        "id": "ID",
        "enabled": "ENABLED",
        "state": "STATE",
        "when": "WHEN",
        "last_outcome": "LAST",
        "last_at": "AT (UTC)",
        "next_run_at": "NEXT (UTC)",
        "labels": "LABELS",
    }
    empty = "No schedules yet: `tick sync` brings them from the definitions."
    if label is not None:
        empty = f"No schedule has the label {label!r}; `tick schedules` shows those there are."
    show_list(found, columns, empty, _more)


def _more(row: Schedule) -> dict[str, object]:
    last = row.last
    return {
        "when": _when(row),
        "labels": ", ".join(row.labels) or None,
        "last_outcome": last.outcome if last else None,
        "last_at": (last.scheduled_for or last.decided_at) if last else None,
    }


@click.command()
@schedule_argument
@as_json
def schedule(schedule_id: str) -> None:
    """Show a schedule: its rule, its state, its next instants."""
    with open_client() as client:
        found, now = client.call(read_schedule, schedule_id=schedule_id), client.now()
    if wants_json():
        show_json(found)
        return
    row = found.schedule
    say(f"{row.id}: {row.name}")
    facts = {
        "when": row.timing.mistake or _when(row),
        "runs": row.selected.words,
        "labels": ", ".join(row.labels),
        "now": _standing(row),
        "policy": _policy(found.policy),
        "limits": ", ".join(row.limits.words) if row.limits else None,
        "due": _due(row, now),
        "instants": _instants(found.upcoming, row.timing.timezone),
        "last": _last(row),
        "version": row.version_since
        and f"{row.version} since {row.version_since:%Y-%m-%d %H:%M} UTC",
        "pin": row.pin and row.pin.words,
        "exists in": ", ".join(row.environment_words),
        "error": row.last_error,
    }
    for name, text in facts.items():
        if text:
            say(f"  {name + ':':10} {text}")


def _standing(row: Schedule) -> str:
    switch = "on" if row.enabled else "off"
    if row.state is ScheduleState.ACTIVE:
        return switch
    end = f" until {row.state_until:%Y-%m-%d %H:%M} UTC" if row.state_until else ""
    return f"{switch}, {row.state}{end} by {row.state_by or 'system'}: {row.state_reason or '-'}"


def _when(row: Schedule) -> str:
    # Only a wall time has a zone; an interval and one instant are the same everywhere.
    return row.timing.with_zone


def _policy(policy: Policy | None) -> str | None:
    if policy is None:
        return None
    said = f"missed {policy.missed}, overlap {policy.overlap}, grace {policy.grace_seconds:.0f} s"
    left = f", {policy.runs_left} of {policy.max_runs} runs left"
    return said if policy.max_runs is None else said + left


def _due(row: Schedule, now: datetime) -> str | None:
    at = row.next_run_at
    return f"{at:%Y-%m-%d %H:%M} UTC, waits for a tick" if at and at <= now else None


def _instants(upcoming: Sequence[datetime], timezone: str) -> str:
    if not upcoming:
        return "none to come"
    listed = ", ".join(f"{at:%a %Y-%m-%d %H:%M}" for at in upcoming)
    there = "" if timezone == "UTC" else f" ({', '.join(local(at, timezone) for at in upcoming)})"
    return f"{listed} UTC{there}"


def _last(row: Schedule) -> str | None:
    if (last := row.last) is None:
        return None
    if last.scheduled_for is None:
        by = f" by {last.triggered_by}" if last.triggered_by else ""
        when = f"run by hand{by} at {last.decided_at:%Y-%m-%d %H:%M} UTC"
    else:
        when = f"of {last.scheduled_for:%Y-%m-%d %H:%M} UTC"
    return f"{last.outcome} {when}, occurrence {last.id}"


@click.command()
@schedules_argument
@label_option
@click.option("--catch-up", is_flag=True, help="Also fire its most recent instant, once.")
@if_revision
@as_json
def enable(
    schedule_ids: tuple[str, ...], label: str | None, catch_up: bool, revision: str | None
) -> None:
    """Switch schedules on. Each next fires at its first instant after now."""
    how = {"catch_up_latest": catch_up, "revision": revision}
    if are_many(schedule_ids, label):
        of_one = {"--revision": how.pop("revision")}
        at_once(enable_schedules, schedule_ids, label, "is on", of_one=of_one, **how)
        return

    def switch(client: Client, schedule_id: str) -> Told:
        row = client.call(enable_schedule, schedule_id=schedule_id, **how)
        return row, f"{schedule_id} is on; next: {next_firing(row)}"

    one_by_one(schedule_ids, switch)


@click.command()
@schedules_argument
@label_option
@reason_option("Why; kept in the audit.")
@if_revision
@as_json
def disable(
    schedule_ids: tuple[str, ...], label: str | None, reason: str | None, revision: str | None
) -> None:
    """Switch schedules off. What runs already goes on."""
    how = {"reason": reason, "revision": revision}
    if are_many(schedule_ids, label):
        of_one = {"--revision": how.pop("revision")}
        at_once(disable_schedules, schedule_ids, label, "is off", of_one=of_one, **how)
        return

    def switch(client: Client, schedule_id: str) -> Told:
        row = client.call(disable_schedule, schedule_id=schedule_id, **how)
        since = f" since {row.enabled_at:%Y-%m-%d %H:%M} UTC" if row.enabled_at else ""
        return row, f"{schedule_id} is off{since}"

    one_by_one(schedule_ids, switch)


@click.command()
@schedules_argument
@label_option
@reason_option("Why; whoever finds the schedule quiet reads it.", required=True)
@click.option("--until", type=INSTANT, help="When the pause ends by itself.")
@if_revision
@as_json
def pause(
    schedule_ids: tuple[str, ...],
    label: str | None,
    reason: str,
    until: datetime | None,
    revision: str | None,
) -> None:
    """Keep schedules from firing, for a reason."""
    how = {"reason": reason, "until": until}
    if are_many(schedule_ids, label):
        of_one = {"--revision": revision}
        at_once(pause_schedules, schedule_ids, label, "is paused", of_one=of_one, **how)
        return

    def stop(client: Client, schedule_id: str) -> Told:
        row = client.call(pause_schedule, schedule_id=schedule_id, revision=revision, **how)
        end = f"until {until:%Y-%m-%d %H:%M %Z}" if until else f"until `tick resume {schedule_id}`"
        return row, f"{schedule_id} is paused {end}."

    one_by_one(schedule_ids, stop)


@click.command()
@schedules_argument
@label_option
@click.option("--catch-up", is_flag=True, help="Also fire the most recent instant that passed.")
@click.option("--run", type=INSTANT, multiple=True, help="Also run this instant that passed.")
@click.option(
    "--from-now", is_flag=True, help="Bring it back from a future that a clock ahead put it into."
)
@click.option("--all", "every", is_flag=True, help="With --from-now: all schedules.")
@if_revision
@as_json
def resume(
    schedule_ids: tuple[str, ...],
    label: str | None,
    catch_up: bool,
    run: tuple[datetime, ...],
    from_now: bool,
    every: bool,
    revision: str | None,
) -> None:
    """End a pause or an ERROR. Each next fires at its first instant after now."""
    if every == bool(schedule_ids or label) or (every and not from_now):
        raise click.UsageError("Name a schedule, or all: `tick resume --from-now --all`.")
    if from_now and label:
        raise click.UsageError("--from-now takes ids, or --all.")
    if from_now and (catch_up or run):
        raise click.UsageError("--from-now goes on after now: leave out --catch-up and --run.")
    if every:
        show(call(resume_all_from_now), _tell_brought_back)
        return
    how = {"catch_up_latest": catch_up, "run": run, "revision": revision}
    of_one = {"--revision": revision, "--run": run}
    if not from_now and are_many(schedule_ids, label):
        latest = {"catch_up_latest": catch_up}
        at_once(resume_schedules, schedule_ids, label, "goes on", of_one=of_one, **latest)
        return

    def bring_back(client: Client, schedule_id: str) -> Told:
        row = client.call(resume_schedule_from_now, schedule_id=schedule_id, revision=revision)
        return row, f"{schedule_id} goes on from now; next: {next_firing(row)}"

    def go_on(client: Client, schedule_id: str) -> Told:
        # Before it is resumed: then the instants that passed are decided, and none is left.
        passed = client.call(read_schedule, schedule_id=schedule_id).undecided
        row = client.call(resume_schedule, schedule_id=schedule_id, **how)
        missed = f"{counted(passed, 'instant')} passed meanwhile, {len(run) + catch_up} of them run"
        return row, f"{schedule_id} goes on; {missed}; next: {next_firing(row)}"

    act = bring_back if from_now else go_on
    one_by_one(schedule_ids, act, of_one=of_one)


@click.command()
@click.argument("entry_id", type=ID)
@as_json
def undo(entry_id: int) -> None:
    """Take back one act on many schedules, by its entry in the audit.

    What somebody changed since stays; what was started and runs is asked to stop.
    """
    found = call(undo_schedules, entry=entry_id)
    show(found, _tell_undone)
    if found.refused:
        raise SystemExit(ExitStatus.FAILED)


def _tell_undone(found: SchedulesDone) -> None:
    say(f"{counted(len(found.done), 'schedule')} as before, {len(found.unchanged)} had changed.")
    for schedule_id, why in found.refused.items():
        say(f"{schedule_id}: {why}", err=True)


def _tell_brought_back(found: BroughtBack) -> None:
    gone = f"; {counted(found.ticks, 'tick')} of the future left the log" if found.ticks else ""
    say(f"{counted(len(found.schedules), 'schedule')} brought back{gone}.")
    for schedule_id in found.schedules:
        say(f"  {schedule_id}")


def next_firing(row: Schedule) -> str:
    """Return when it fires next, or why it does not."""
    if row.state is not ScheduleState.ACTIVE:
        return f"not while it is {row.state}; `tick resume {row.id}` ends that"
    return f"{row.next_run_at:%Y-%m-%d %H:%M} UTC" if row.next_run_at else "never"
