"""Console, JSON API and command line open the same doors: what one can do, the others can.

Each line of the table is something that people do or look at. Whoever adds a route, an operation or
a command adds it here; where one of the three is missing on purpose, a reason stands in its place.
"""

from dataclasses import dataclass

import pytest

from tests.cli.test_every_command import LEAVES
from tick.interface.table import OPERATIONS
from webapp.access.permissions import NEEDED, PUBLIC

BROWSER = "only a browser needs it"
DATABASE = "works on the database itself, before or beside any console"
DEFINITIONS = "is about the definitions in this folder"
PEOPLE = "a program's token must not make or change people and tokens"
SERVES = "is a process, or ends in one"
SHELL = "is about the shell"
IN_CODE = "says that schedules live in code"
ON_PAGES = "stands on the pages that it is about"


@dataclass(frozen=True)
class Door:
    """Routes of the console, operations of the API and commands that do the same; or why not."""

    console: str
    api: str
    cli: str


DOORS = [
    # schedules
    Door("schedules.index", "list_schedules", "schedules"),
    Door("schedules.show", "read_schedule", "schedule"),
    Door("schedules.enable, schedules.confirm_enable", "enable_schedule", "enable"),
    Door("schedules.disable, schedules.confirm_disable", "disable_schedule", "disable"),
    Door("schedules.pause, schedules.confirm_pause", "pause_schedule", "pause"),
    Door("schedules.resume, schedules.confirm_resume", "resume_schedule", "resume"),
    Door(
        "workers.resume_from_now, workers.confirm_resume_from_now",
        "resume_all_from_now, resume_schedule_from_now",
        "resume",
    ),
    Door("schedules.run, schedules.confirm_run", "trigger_schedule", "run"),
    Door(
        "schedules.run_slots, occurrences.confirm_slots",
        "run_slots, plan_backfill",
        "slot, backfill",
    ),
    Door(f"! {IN_CODE}", "create_schedule, update_schedule, delete_schedule", f"! {IN_CODE}"),
    # the ledger and what comes
    Door(f"! {ON_PAGES}", "list_occurrences, read_history", "ledger"),
    Door("occurrences.show", "read_occurrence, read_forecast", "occurrence"),
    Door("occurrences.retry, occurrences.confirm_retry", "retry_occurrence", "retry"),
    Door("occurrences.cancel, occurrences.confirm_cancel", "cancel_occurrence", "cancel"),
    Door("occurrences.explain", "explain", "why"),
    Door("upcoming.index", "read_upcoming", "next"),
    Door(
        "upcoming.feed, upcoming.make_feed, upcoming.confirm_feed, upcoming.end_feed, "
        "upcoming.feed_by_token",
        "! calendar programs fetch it by its own address",
        "! calendar programs fetch it by its own address",
    ),
    Door("! a proof is asked for, not watched", "verify_ledger", "verify"),
    # jobs and runs
    Door("jobs.index", "list_jobs", "jobs"),
    Door("jobs.show", "read_job", "jobs"),
    Door("jobs.run, jobs.confirm_run", "run_job", "run"),
    Door("jobs.run_group, jobs.confirm_run_group", "run_group", "run"),
    Door("jobs.run_all, jobs.confirm_run_all", "run_all_jobs", "run"),
    Door("runs.index", "list_runs", "runs"),
    Door("runs.show", "read_run", "logs"),
    Door("runs.cancel", "cancel_run", "cancel"),
    Door("runs.retry", "retry_run", "retry"),
    Door("bulk.act_on_runs, bulk.confirm_runs", "cancel_runs, retry_runs", "cancel, retry"),
    Door(
        "bulk_schedules.act, bulk_schedules.confirm, bulk_schedules.undo",
        "enable_schedule, disable_schedule, pause_schedule",
        "enable, disable, pause",
    ),
    Door("logs.download, logs.stream, logs.tail", "read_logs", "logs"),
    # what works
    Door("workers.index", "list_workers, list_queues", "workers, queue list"),
    Door("workers.drain, workers.confirm_drain", "drain_worker", "drain"),
    Door("workers.pause_queue, workers.confirm_pause_queue", "pause_queue", "queue pause"),
    Door("workers.resume_queue", "resume_queue", "queue resume"),
    Door("workers.preview_tick", "preview_tick", "now"),
    Door("overview.index", "read_status", "status, scheduler status"),
    Door("windows.stop, windows.confirm_stop", "stop_scheduler", "scheduler stop"),
    Door("windows.start", "start_scheduler", "scheduler start"),
    Door(f"! {ON_PAGES}", "list_windows", "windows list"),
    Door("windows.add, windows.confirm_add", "add_window", "windows add"),
    Door("windows.end", "end_window", "windows end"),
    Door("stats.index", "read_statistics", "stats"),
    Door("settings.index", "! settings are for whoever runs the processes", "doctor"),
    Door("health.process, health.readiness, health.scheduler", f"! {SERVES}", "doctor"),
    Door("metrics.scrape", "! Prometheus scrapes it by its own address", "stats"),
    Door("tick.fire, work.work", "! triggers call it with their own secret", "now"),
    # alerts
    Door("alerts.index", "list_alerts, list_mutes", "alerts list, alerts mutes"),
    Door("alerts.show", "read_alert", "alerts show"),
    Door("alerts.close", "close_alert", "alerts close"),
    Door("alerts.mute, alerts.confirm_mute", "add_mute", "alerts mute"),
    Door("alerts.unmute", "end_mute", "alerts unmute"),
    Door("alerts.test", "test_channels", "alerts test"),
    # people
    Door("audit.index, audit.export", "list_audit", "audit"),
    Door("users.index", f"! {PEOPLE}", "user list"),
    Door("users.create", f"! {PEOPLE}", "user create"),
    Door("users.set_active", f"! {PEOPLE}", "user enable, user disable"),
    Door("users.set_role", f"! {PEOPLE}", "user role"),
    Door("users.set_password, users.confirm_password", f"! {PEOPLE}", "user password"),
    Door(
        "account.index, account.change_password, account.end_session, account.end_other_sessions",
        f"! {PEOPLE}",
        "user password, user sign-out",
    ),
    Door(f"! {PEOPLE}", f"! {PEOPLE}", "token create, token list, token revoke"),
    Door(
        "auth.form, auth.submit, auth.leave, sign_in.start, sign_in.finish", *[f"! {BROWSER}"] * 2
    ),
    Door(
        "preferences.help_on_keys, preferences.keys, preferences.live, preferences.theme, "
        "preferences.zone, static",
        *[f"! {BROWSER}"] * 2,
    ),
    # definitions, installation
    Door(f"! {DEFINITIONS}", "plan_definitions", "plan, sync, check, simulate"),
    Door(f"! {DEFINITIONS}", "validate_cron, preview_runs", "cron next"),
    Door(f"! {DATABASE}", f"! {DATABASE}", "db upgrade, prune, first-run"),
    Door(f"! {SERVES}", f"! {SERVES}", "loop, worker, up"),
    Door("api.openapi, api.reference", f"! {SHELL}", "openapi, completion"),
]


def listed(text: str) -> set[str]:
    """The names in one field; none where a reason stands."""
    return set() if text.startswith("!") else {name.strip() for name in text.split(",")}


def test_every_route_of_the_console_has_its_line() -> None:
    named = {name for door in DOORS for name in listed(door.console)}
    assert named == NEEDED.keys() | PUBLIC


def test_every_operation_of_the_api_has_its_line() -> None:
    assert {name for door in DOORS for name in listed(door.api)} == OPERATIONS.keys()


def test_every_command_has_its_line() -> None:
    assert {name for door in DOORS for name in listed(door.cli)} == LEAVES.keys()


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.console} | {door.cli}")
def test_where_one_is_missing_there_is_a_reason(door: Door) -> None:
    fields = (door.console, door.api, door.cli)
    assert any(listed(field) for field in fields)
    assert all(len(field) > 10 for field in fields if field.startswith("!"))
