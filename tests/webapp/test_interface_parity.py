"""The console does what the interface declares, and a command calls each operation.

The JSON API and the command line are made from the declared operations, so they can't differ. Only
the console's pages are written beside them: whoever adds an operation or a page adds it here, with
a reason where the other is missing on purpose.
"""

import ast
from pathlib import Path

import pytest

import tick.cli
from tests.cli.test_every_command import LEAVES
from tick.cli import ANYWHERE, REMOTE
from tick.interface.table import OPERATIONS
from webapp.access.permissions import NEEDED, PUBLIC

BROWSER = "! only a browser needs it"
DEFINITIONS = "! is about the definitions in this folder"
ON_PAGES = "! stands on the pages that it is about"
OWN_ADDRESS = "! is fetched by its own address"
PEOPLE = "! a program's token must not make or change people and tokens"
TYPED = "! stands in the form of a schedule while somebody types"
PROCESS = "! is about the process that answers"

# The routes of the console that do the same as an operation.
ROUTES = {
    "list_schedules": "schedules.index",
    "read_schedule": "schedules.show",
    "enable_schedule": "schedules.enable, schedules.confirm_enable",
    "disable_schedule": "schedules.disable, schedules.confirm_disable",
    "pause_schedule": "schedules.pause, schedules.confirm_pause",
    "enable_schedules": "bulk_schedules.switch",
    "disable_schedules": "bulk_schedules.switch",
    "pause_schedules": "bulk_schedules.switch",
    "trigger_schedules": "bulk_schedules.run",
    "mute_schedules": "bulk_schedules.mute",
    "undo_schedules": "bulk_schedules.undo",
    "resume_schedule": "schedules.resume, schedules.confirm_resume",
    "resume_schedules": "bulk_schedules.switch",
    "resume_schedule_from_now": ON_PAGES,
    "resume_all_from_now": "workers.resume_from_now, workers.confirm_resume_from_now",
    "trigger_schedule": "schedules.run, schedules.confirm_run",
    "run_slots": "schedules.run_slots, occurrences.confirm_slots",
    "plan_backfill": ON_PAGES,
    "list_backfills": "backfills.index",
    "read_backfill": "! the list says all of each",
    "size_backfill": "! the form of a backfill counts as it starts it",
    "start_backfill": "backfills.start, backfills.confirm_start",
    "pause_backfill": "backfills.pause",
    "resume_backfill": "backfills.resume",
    "cancel_backfill": "backfills.cancel, backfills.confirm_cancel",
    "create_schedule": "schedule_form.new, schedule_form.create, schedule_form.preview",
    "update_schedule": "schedule_form.edit, schedule_form.update, schedule_form.preview",
    "delete_schedule": "schedule_form.delete, schedule_form.confirm_delete",
    "restore_schedule": "schedule_form.restore",
    "list_occurrences": ON_PAGES,
    "read_history": ON_PAGES,
    "read_schedule_statistics": ON_PAGES,
    "list_schedule_versions": ON_PAGES,
    "pin_schedule": "pins.pin, pins.confirm",
    "unpin_schedule": "pins.unpin",
    "read_occurrence": "occurrences.show",
    "read_forecast": "occurrences.show",
    "retry_occurrence": "occurrences.retry, occurrences.confirm_retry",
    "cancel_occurrence": "occurrences.cancel, occurrences.confirm_cancel",
    "explain": "occurrences.explain",
    "read_upcoming": "upcoming.index",
    "read_conflicts": "load.index",
    "verify_ledger": "! a proof is asked for, not watched",
    "list_calendars": "calendars.index",
    "read_calendar": "calendars.show",
    "create_calendar": "calendars.new, calendars.create",
    "update_calendar": "calendars.edit, calendars.update",
    "delete_calendar": "calendars.delete, calendars.confirm_delete",
    "restore_calendar": "calendars.restore",
    "list_jobs": "jobs.index",
    "read_job": "jobs.show",
    "run_job": "jobs.run, jobs.confirm_run",
    "run_group": "jobs.run_group, jobs.confirm_run_group",
    "run_all_jobs": "jobs.run_all, jobs.confirm_run_all",
    "list_runs": "runs.index",
    "read_run": "runs.show",
    "cancel_run": "runs.cancel",
    "retry_run": "runs.retry",
    "cancel_runs": "bulk.cancel_runs",
    "retry_runs": "bulk.retry_runs",
    "read_logs": "logs.download, logs.stream, logs.tail",
    "list_workers": "workers.index",
    "list_queues": "workers.index",
    "drain_worker": "workers.drain, workers.confirm_drain",
    "pause_queue": "workers.pause_queue, workers.confirm_pause_queue",
    "resume_queue": "workers.resume_queue",
    "preview_tick": "workers.preview_tick",
    "read_status": "overview.index",
    "stop_scheduler": "windows.stop, windows.confirm_stop",
    "start_scheduler": "windows.start",
    "list_windows": ON_PAGES,
    "add_window": "windows.add, windows.confirm_add",
    "end_window": "windows.end",
    "read_statistics": "stats.index",
    "list_alerts": "alerts.index",
    "list_mutes": "alerts.index",
    "read_alert": "alerts.show",
    "close_alert": "alerts.close",
    "add_mute": "alerts.mute, alerts.confirm_mute",
    "end_mute": "alerts.unmute",
    "test_channels": "alerts.test",
    "list_audit": "audit.index, audit.export",
    "plan_definitions": DEFINITIONS,
    "validate_cron": TYPED,
    "preview_runs": TYPED,
}
# Why the console has what the interface doesn't.
ONLY_CONSOLE = {
    "upcoming.feed, upcoming.make_feed, upcoming.confirm_feed, upcoming.end_feed, "
    "upcoming.feed_by_token": "! calendar programs fetch it by its own address",
    "schedule_form.as_code": "! is read_schedule, worded for a file of definitions",
    "settings.index": "! settings are for whoever runs the processes",
    "bulk.confirm_runs, bulk_schedules.confirm": "! shows them, and needs the permission of what "
    "is to be done to them",
    "health.process, health.readiness, health.scheduler": PROCESS,
    "metrics.scrape, tick.fire, work.work, api.openapi, api.reference": OWN_ADDRESS,
    "users.index, users.create, users.set_active, users.set_role, users.set_password, "
    "users.confirm_password, account.index, account.change_password, account.end_session, "
    "account.end_other_sessions": PEOPLE,
    "auth.form, auth.submit, auth.leave, sign_in.start, sign_in.finish, "
    "preferences.help_on_keys, preferences.remember, static": BROWSER,
}
# Why no command but `tick call` calls an operation.
WITHOUT_COMMAND = {
    "read_job": "! `tick jobs` shows them all",
    "plan_backfill": "! `tick backfill` asks size_backfill, which has no limit",
    "read_history": "! `tick ledger SCHEDULE` calls list_occurrences",
    "read_schedule_statistics": "! `tick stats --schedule` calls read_statistics",
    "read_forecast": "! is about a moment, for whoever watches",
    "validate_cron": "! `tick cron next` needs no console",
    "preview_runs": "! `tick cron next` needs no console",
}
# Why a command works on the database itself, not through a console.
ONLY_HERE = {
    "loop, worker, up, first-run": "! is a process, or ends in one",
    "doctor, db, prune": "! works on the database itself, before or beside any console",
    "sync": DEFINITIONS,
    "user, token": PEOPLE,
}


def listed(text: str) -> set[str]:
    """The names in a text; none if it is a reason."""
    return set() if text.startswith("!") else {name.strip() for name in text.split(",")}


def called_by_commands() -> set[str]:
    """The operations that the modules of the commands import."""
    found = set()
    for file in Path(tick.cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "tick.interface"
            ):
                found |= {alias.name for alias in node.names}
    return found & OPERATIONS.keys()


def test_every_operation_has_its_page_or_a_reason() -> None:
    assert ROUTES.keys() == OPERATIONS.keys()


def test_every_page_has_its_operation_or_a_reason() -> None:
    doing = {name for text in ROUTES.values() for name in listed(text)}
    alone = {name for text in ONLY_CONSOLE for name in listed(text)}
    assert not doing & alone
    assert doing | alone == NEEDED.keys() | PUBLIC


def test_every_operation_is_called_by_a_command_or_has_a_reason() -> None:
    assert called_by_commands() == OPERATIONS.keys() - WITHOUT_COMMAND.keys()


def test_every_command_works_through_a_console_or_has_a_reason() -> None:
    alone = {name for text in ONLY_HERE for name in listed(text)}
    assert not alone & (REMOTE | ANYWHERE)
    assert {name.split()[0] for name in LEAVES} == REMOTE | ANYWHERE | alone


@pytest.mark.parametrize(
    "route", sorted({name for text in ROUTES.values() for name in listed(text)})
)
def test_a_page_needs_the_permission_of_the_operations_that_it_stands_for(route: str) -> None:
    needed = {OPERATIONS[name].needs for name, text in ROUTES.items() if route in listed(text)}
    assert {NEEDED[route]} == needed


def test_every_reason_says_something() -> None:
    tables = (ROUTES, ONLY_CONSOLE, WITHOUT_COMMAND, ONLY_HERE)
    reasons = {text for table in tables for text in table.values() if text.startswith("!")}
    assert all(len(reason) > 10 for reason in reasons)
