"""Who may use which route: one table; a route that is not in it is closed to everyone."""

import logging

from flask import Flask, Response, abort, g, request
from flask_login import current_user

from tick.states import Role
from webapp.access.login import ask_to_log_in
from webapp.access.pace import keep_pace

PUBLIC = frozenset(
    {
        "api.openapi",
        "api.reference",
        "auth.form",
        "auth.submit",
        "health.process",
        "health.readiness",
        "health.scheduler",
        "metrics.scrape",  # checks its own token
        "preferences.help_on_keys",
        "preferences.keys",
        "preferences.live",
        "preferences.theme",
        "preferences.zone",
        "sign_in.finish",
        "sign_in.start",
        "static",
        "upcoming.feed_by_token",  # checks the token in its path
        "tick.fire",  # checks its own secret
        "work.work",  # the same
    }
)
NEEDED: dict[str, Role] = {
    "audit.export": Role.VIEWER,
    "account.change_password": Role.VIEWER,
    "account.end_other_sessions": Role.VIEWER,
    "account.end_session": Role.VIEWER,
    "account.index": Role.VIEWER,
    "audit.index": Role.VIEWER,
    "auth.leave": Role.VIEWER,
    "jobs.confirm_run": Role.ADMIN,
    "jobs.confirm_run_all": Role.ADMIN,
    "jobs.confirm_run_group": Role.ADMIN,
    "bulk_schedules.act": Role.ADMIN,
    "bulk_schedules.confirm": Role.ADMIN,
    "bulk_schedules.undo": Role.ADMIN,
    "bulk.act_on_runs": Role.ADMIN,
    "bulk.confirm_runs": Role.ADMIN,
    "jobs.index": Role.VIEWER,
    "jobs.run": Role.ADMIN,
    "jobs.run_all": Role.ADMIN,
    "jobs.run_group": Role.ADMIN,
    "jobs.show": Role.VIEWER,
    "logs.download": Role.VIEWER,
    "logs.stream": Role.VIEWER,
    "logs.tail": Role.VIEWER,
    "occurrences.cancel": Role.ADMIN,
    "occurrences.confirm_cancel": Role.ADMIN,
    "occurrences.explain": Role.VIEWER,
    "occurrences.confirm_retry": Role.ADMIN,
    "occurrences.confirm_slots": Role.ADMIN,
    "occurrences.retry": Role.ADMIN,
    "occurrences.show": Role.VIEWER,
    "overview.index": Role.VIEWER,
    "runs.cancel": Role.ADMIN,
    "runs.index": Role.VIEWER,
    "runs.retry": Role.ADMIN,
    "runs.show": Role.VIEWER,
    "schedules.confirm_disable": Role.ADMIN,
    "schedules.confirm_enable": Role.ADMIN,
    "schedules.confirm_pause": Role.ADMIN,
    "schedules.confirm_resume": Role.ADMIN,
    "schedules.confirm_run": Role.ADMIN,
    "schedules.disable": Role.ADMIN,
    "schedules.enable": Role.ADMIN,
    "schedules.index": Role.VIEWER,
    "schedules.pause": Role.ADMIN,
    "schedules.resume": Role.ADMIN,
    "schedules.run": Role.ADMIN,
    "schedules.run_slots": Role.ADMIN,
    "schedules.show": Role.VIEWER,
    "stats.index": Role.VIEWER,
    "settings.index": Role.ADMIN,
    "upcoming.confirm_feed": Role.VIEWER,
    "upcoming.end_feed": Role.VIEWER,
    "upcoming.feed": Role.VIEWER,
    "upcoming.index": Role.VIEWER,
    "upcoming.make_feed": Role.VIEWER,
    "users.confirm_password": Role.ADMIN,
    "users.create": Role.ADMIN,
    "users.index": Role.ADMIN,
    "users.set_active": Role.ADMIN,
    "users.set_password": Role.ADMIN,
    "users.set_role": Role.ADMIN,
    "alerts.close": Role.ADMIN,
    "alerts.confirm_mute": Role.ADMIN,
    "alerts.index": Role.VIEWER,
    "alerts.mute": Role.ADMIN,
    "alerts.show": Role.VIEWER,
    "alerts.test": Role.ADMIN,
    "alerts.unmute": Role.ADMIN,
    "windows.add": Role.ADMIN,
    "windows.confirm_add": Role.ADMIN,
    "windows.confirm_stop": Role.ADMIN,
    "windows.end": Role.ADMIN,
    "windows.start": Role.ADMIN,
    "windows.stop": Role.ADMIN,
    "workers.confirm_drain": Role.ADMIN,
    "workers.confirm_pause_queue": Role.ADMIN,
    "workers.drain": Role.ADMIN,
    "workers.index": Role.VIEWER,
    "workers.pause_queue": Role.ADMIN,
    "workers.preview_tick": Role.VIEWER,
    "workers.confirm_resume_from_now": Role.ADMIN,
    "workers.resume_from_now": Role.ADMIN,
    "workers.resume_queue": Role.ADMIN,
}

# Of API tokens: no session opens the JSON API.
API: dict[str, Role] = {
    "api.add_window": Role.ADMIN,
    "api.cancel_occurrence": Role.ADMIN,
    "api.cancel_run": Role.ADMIN,
    "api.cancel_runs": Role.ADMIN,
    "api.retry_runs": Role.ADMIN,
    "api.create_schedule": Role.ADMIN,
    "api.delete_schedule": Role.ADMIN,
    "api.disable_schedule": Role.ADMIN,
    "api.drain_worker": Role.ADMIN,
    "api.enable_schedule": Role.ADMIN,
    "api.end_window": Role.ADMIN,
    "api.explain": Role.VIEWER,
    "api.list_audit": Role.VIEWER,
    "api.list_jobs": Role.VIEWER,
    "api.list_occurrences": Role.VIEWER,
    "api.list_queues": Role.VIEWER,
    "api.list_runs": Role.VIEWER,
    "api.list_schedules": Role.VIEWER,
    "api.add_mute": Role.ADMIN,
    "api.close_alert": Role.ADMIN,
    "api.end_mute": Role.ADMIN,
    "api.list_alerts": Role.VIEWER,
    "api.list_mutes": Role.VIEWER,
    "api.read_alert": Role.VIEWER,
    "api.test_channels": Role.ADMIN,
    "api.list_windows": Role.VIEWER,
    "api.list_workers": Role.VIEWER,
    "api.pause_queue": Role.ADMIN,
    "api.pause_schedule": Role.ADMIN,
    "api.preview_runs": Role.VIEWER,
    "api.preview_tick": Role.VIEWER,
    "api.read_forecast": Role.VIEWER,
    "api.read_history": Role.VIEWER,
    "api.read_job": Role.VIEWER,
    "api.plan_backfill": Role.VIEWER,
    "api.plan_definitions": Role.VIEWER,
    "api.read_logs": Role.VIEWER,
    "api.verify_ledger": Role.VIEWER,
    "api.read_occurrence": Role.VIEWER,
    "api.read_run": Role.VIEWER,
    "api.read_schedule": Role.VIEWER,
    "api.read_statistics": Role.VIEWER,
    "api.read_status": Role.VIEWER,
    "api.read_upcoming": Role.VIEWER,
    "api.resume_all_from_now": Role.ADMIN,
    "api.resume_queue": Role.ADMIN,
    "api.resume_schedule": Role.ADMIN,
    "api.resume_schedule_from_now": Role.ADMIN,
    "api.retry_occurrence": Role.ADMIN,
    "api.retry_run": Role.ADMIN,
    "api.run_all_jobs": Role.ADMIN,
    "api.run_group": Role.ADMIN,
    "api.run_job": Role.ADMIN,
    "api.run_slots": Role.ADMIN,
    "api.start_scheduler": Role.ADMIN,
    "api.stop_scheduler": Role.ADMIN,
    "api.trigger_schedule": Role.ADMIN,
    "api.update_schedule": Role.ADMIN,
    "api.validate_cron": Role.VIEWER,
}
_log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Check every request against the table."""
    app.before_request(check)


def check() -> Response | None:
    """Let the request pass, ask for a login, or refuse it."""
    if request.endpoint is None or request.endpoint in PUBLIC:
        return None
    if request.blueprint == "api":
        return None  # goes on to ask for its token
    if not current_user.is_authenticated:
        return ask_to_log_in()
    if not may(request.endpoint):
        _log.warning("request %s: %r may not %s", g.request_id, current_user.name, request.endpoint)
        abort(403)
    if request.method == "POST" and request.endpoint != "auth.leave":
        keep_pace(f"user:{current_user.name}")
    return None


def may(endpoint: str) -> bool:
    """Whether the signed-in person may use the route."""
    needed = NEEDED.get(endpoint)
    return needed is not None and getattr(current_user, "role", None) in (needed, Role.ADMIN)
