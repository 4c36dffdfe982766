"""Who may use which route: one table; a route that is not in it is closed to everyone."""

import logging

from flask import Flask, Response, abort, g, request
from flask_login import current_user

from tick.interface.permissions import ROLES, Permission
from tick.states import Role
from webapp.access.login import redirect_to_login
from webapp.access.rate_limits import enforce_rate_limit

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
NEEDED: dict[str, Permission] = {
    "audit.export": Permission.READ,
    "account.change_password": Permission.READ,
    "account.end_other_sessions": Permission.READ,
    "account.end_session": Permission.READ,
    "account.index": Permission.READ,
    "audit.index": Permission.READ,
    "auth.leave": Permission.READ,
    "jobs.confirm_run": Permission.JOB_RUN,
    "jobs.confirm_run_all": Permission.JOB_RUN,
    "jobs.confirm_run_group": Permission.JOB_RUN,
    "bulk_schedules.act": Permission.SCHEDULE_EDIT,
    "bulk_schedules.confirm": Permission.SCHEDULE_EDIT,
    "bulk_schedules.undo": Permission.SCHEDULE_EDIT,
    "bulk.cancel_runs": Permission.RUN_CANCEL,
    "bulk.confirm_runs": Permission.READ,  # asks for the permission of the action besides
    "bulk.retry_runs": Permission.RUN_RETRY,
    "jobs.index": Permission.READ,
    "jobs.run": Permission.JOB_RUN,
    "jobs.run_all": Permission.JOB_RUN,
    "jobs.run_group": Permission.JOB_RUN,
    "jobs.show": Permission.READ,
    "logs.download": Permission.READ,
    "logs.stream": Permission.READ,
    "logs.tail": Permission.READ,
    "occurrences.cancel": Permission.RUN_CANCEL,
    "occurrences.confirm_cancel": Permission.RUN_CANCEL,
    "occurrences.explain": Permission.READ,
    "occurrences.confirm_retry": Permission.RUN_RETRY,
    "occurrences.confirm_slots": Permission.SCHEDULE_RUN,
    "occurrences.retry": Permission.RUN_RETRY,
    "occurrences.show": Permission.READ,
    "overview.index": Permission.READ,
    "runs.cancel": Permission.RUN_CANCEL,
    "runs.index": Permission.READ,
    "runs.retry": Permission.RUN_RETRY,
    "runs.show": Permission.READ,
    "schedules.confirm_disable": Permission.SCHEDULE_EDIT,
    "schedules.confirm_enable": Permission.SCHEDULE_EDIT,
    "schedules.confirm_pause": Permission.SCHEDULE_EDIT,
    "schedules.confirm_resume": Permission.SCHEDULE_EDIT,
    "schedules.confirm_run": Permission.SCHEDULE_RUN,
    "schedules.disable": Permission.SCHEDULE_EDIT,
    "schedules.enable": Permission.SCHEDULE_EDIT,
    "schedules.index": Permission.READ,
    "schedules.pause": Permission.SCHEDULE_EDIT,
    "schedules.resume": Permission.SCHEDULE_EDIT,
    "schedules.run": Permission.SCHEDULE_RUN,
    "schedules.run_slots": Permission.SCHEDULE_RUN,
    "schedules.show": Permission.READ,
    "stats.index": Permission.READ,
    "settings.index": Permission.SETTINGS_READ,
    "upcoming.confirm_feed": Permission.READ,
    "upcoming.end_feed": Permission.READ,
    "upcoming.feed": Permission.READ,
    "upcoming.index": Permission.READ,
    "upcoming.make_feed": Permission.READ,
    "users.confirm_password": Permission.USER_EDIT,
    "users.create": Permission.USER_EDIT,
    "users.index": Permission.USER_EDIT,
    "users.set_active": Permission.USER_EDIT,
    "users.set_password": Permission.USER_EDIT,
    "users.set_role": Permission.USER_EDIT,
    "alerts.close": Permission.ALERT_CLOSE,
    "alerts.confirm_mute": Permission.ALERT_MUTE,
    "alerts.index": Permission.READ,
    "alerts.mute": Permission.ALERT_MUTE,
    "alerts.show": Permission.READ,
    "alerts.test": Permission.ALERT_TEST,
    "alerts.unmute": Permission.ALERT_MUTE,
    "windows.add": Permission.WINDOW_EDIT,
    "windows.confirm_add": Permission.WINDOW_EDIT,
    "windows.confirm_stop": Permission.SCHEDULER_STOP,
    "windows.end": Permission.WINDOW_EDIT,
    "windows.start": Permission.SCHEDULER_STOP,
    "windows.stop": Permission.SCHEDULER_STOP,
    "workers.confirm_drain": Permission.WORKER_DRAIN,
    "workers.confirm_pause_queue": Permission.QUEUE_EDIT,
    "workers.drain": Permission.WORKER_DRAIN,
    "workers.index": Permission.READ,
    "workers.pause_queue": Permission.QUEUE_EDIT,
    "workers.preview_tick": Permission.READ,
    "workers.confirm_resume_from_now": Permission.SCHEDULE_EDIT,
    "workers.resume_from_now": Permission.SCHEDULE_EDIT,
    "workers.resume_queue": Permission.QUEUE_EDIT,
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
        return redirect_to_login()
    if not may(request.endpoint):
        _log.warning("request %s: %r may not %s", g.request_id, current_user.name, request.endpoint)
        abort(403)
    if request.method == "POST" and request.endpoint != "auth.leave":
        enforce_rate_limit(f"user:{current_user.name}")
    return None


def may(endpoint: str) -> bool:
    """Whether the signed-in person may use the route."""
    needed = NEEDED.get(endpoint)
    role: Role | None = getattr(current_user, "role", None)
    return role is not None and needed in ROLES[role]
