"""Who may use which route: one table; a route that is not in it is closed to everyone."""

from flask import Flask, Response, abort, request
from flask_login import current_user

from tick.states import Role
from webapp.auth import ask_to_log_in

PUBLIC = frozenset(
    {
        "api.openapi",
        "api.reference",
        "auth.form",
        "auth.submit",
        "health.process",
        "health.readiness",
        "preferences.help_on_keys",
        "preferences.keys",
        "preferences.theme",
        "preferences.zone",
        "static",
        "tick.fire",  # checks its own secret
    }
)
NEEDED: dict[str, Role] = {
    "audit.index": Role.VIEWER,
    "auth.leave": Role.VIEWER,
    "jobs.index": Role.VIEWER,
    "jobs.run": Role.ADMIN,
    "jobs.run_all": Role.ADMIN,
    "jobs.run_group": Role.ADMIN,
    "occurrences.confirm_retry": Role.ADMIN,
    "occurrences.retry": Role.ADMIN,
    "occurrences.show": Role.VIEWER,
    "overview.index": Role.VIEWER,
    "runs.cancel": Role.ADMIN,
    "runs.index": Role.VIEWER,
    "runs.log": Role.VIEWER,
    "runs.retry": Role.ADMIN,
    "runs.show": Role.VIEWER,
    "runs.tail": Role.VIEWER,
    "schedules.confirm_disable": Role.ADMIN,
    "schedules.confirm_enable": Role.ADMIN,
    "schedules.confirm_pause": Role.ADMIN,
    "schedules.confirm_resume": Role.ADMIN,
    "schedules.disable": Role.ADMIN,
    "schedules.enable": Role.ADMIN,
    "schedules.index": Role.VIEWER,
    "schedules.pause": Role.ADMIN,
    "schedules.resume": Role.ADMIN,
    "schedules.run": Role.ADMIN,
    "schedules.run_slots": Role.ADMIN,
    "schedules.show": Role.VIEWER,
    "upcoming.feed": Role.VIEWER,
    "upcoming.index": Role.VIEWER,
    "users.index": Role.ADMIN,
    "users.set_active": Role.ADMIN,
    "users.set_role": Role.ADMIN,
    "workers.confirm_drain": Role.ADMIN,
    "workers.confirm_pause_queue": Role.ADMIN,
    "workers.drain": Role.ADMIN,
    "workers.index": Role.VIEWER,
    "workers.pause_queue": Role.ADMIN,
    "workers.resume_queue": Role.ADMIN,
}

# Of API tokens: no session opens the JSON API.
API: dict[str, Role] = {
    "api.cancel_run": Role.ADMIN,
    "api.create_schedule": Role.ADMIN,
    "api.delete_schedule": Role.ADMIN,
    "api.disable_schedule": Role.ADMIN,
    "api.drain_worker": Role.ADMIN,
    "api.enable_schedule": Role.ADMIN,
    "api.explain": Role.VIEWER,
    "api.list_audit": Role.VIEWER,
    "api.list_jobs": Role.VIEWER,
    "api.list_occurrences": Role.VIEWER,
    "api.list_queues": Role.VIEWER,
    "api.list_runs": Role.VIEWER,
    "api.list_schedules": Role.VIEWER,
    "api.list_workers": Role.VIEWER,
    "api.pause_queue": Role.ADMIN,
    "api.pause_schedule": Role.ADMIN,
    "api.preview_runs": Role.VIEWER,
    "api.read_history": Role.VIEWER,
    "api.read_logs": Role.VIEWER,
    "api.read_occurrence": Role.VIEWER,
    "api.read_run": Role.VIEWER,
    "api.read_schedule": Role.VIEWER,
    "api.read_status": Role.VIEWER,
    "api.read_upcoming": Role.VIEWER,
    "api.resume_queue": Role.ADMIN,
    "api.resume_schedule": Role.ADMIN,
    "api.retry_occurrence": Role.ADMIN,
    "api.retry_run": Role.ADMIN,
    "api.run_all_jobs": Role.ADMIN,
    "api.run_group": Role.ADMIN,
    "api.run_job": Role.ADMIN,
    "api.run_slots": Role.ADMIN,
    "api.trigger_schedule": Role.ADMIN,
    "api.update_schedule": Role.ADMIN,
    "api.validate_cron": Role.VIEWER,
}


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
        abort(403)
    return None


def may(endpoint: str) -> bool:
    """Whether the signed-in person may use the route."""
    needed = NEEDED.get(endpoint)
    return needed is not None and getattr(current_user, "role", None) in (needed, Role.ADMIN)
