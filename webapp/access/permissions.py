"""Opens each route to a permission; a route that is not in the tables is closed to everyone."""

import logging

from flask import Flask, Response, abort, g, request
from flask_login import current_user

from tick.interface.permissions import ROLES, Permission
from tick.states import Role
from webapp.access.environment import refuse_change
from webapp.access.login import redirect_to_login
from webapp.access.rate_limits import enforce_rate_limit

PUBLIC = frozenset(
    f"{page}.{view}"
    for page, views in {
        "api": ("openapi", "reference"),
        "auth": ("form", "submit"),
        "health": ("process", "readiness", "scheduler"),
        "metrics": ("scrape",),  # checks its own token
        "preferences": ("help_on_keys", "remember"),
        "sign_in": ("finish", "start"),
        "tick": ("fire",),  # checks its own secret
        "upcoming": ("feed_by_token",),  # checks the token in its path
        "work": ("work",),  # checks its own secret
    }.items()
    for view in views
) | {"static"}
# By page, the views that each permission opens.
_VIEWS: dict[str, dict[Permission, tuple[str, ...]]] = {
    "account": {Permission.READ: ("change_password", "end_other_sessions", "end_session", "index")},
    "alerts": {
        Permission.READ: ("index", "show"),
        Permission.ALERT_CLOSE: ("close",),
        Permission.ALERT_MUTE: ("confirm_mute", "mute", "unmute"),
        Permission.ALERT_TEST: ("test",),
    },
    "audit": {Permission.READ: ("export", "index")},
    "auth": {Permission.READ: ("leave",)},
    "backfills": {
        Permission.READ: ("index",),
        Permission.SCHEDULE_RUN: (
            "cancel",
            "confirm_cancel",
            "confirm_start",
            "pause",
            "resume",
            "start",
        ),
    },
    "bulk": {
        # The preview asks for the permission of the action besides.
        Permission.READ: ("confirm_runs",),
        Permission.RUN_CANCEL: ("cancel_runs",),
        Permission.RUN_RETRY: ("retry_runs",),
    },
    "bulk_schedules": {
        # As above.
        Permission.READ: ("confirm",),
        Permission.ALERT_MUTE: ("mute",),
        Permission.SCHEDULE_EDIT: ("switch", "undo"),
        Permission.SCHEDULE_RUN: ("run",),
    },
    "jobs": {
        Permission.READ: ("index", "show"),
        Permission.JOB_RUN: (
            "confirm_run",
            "confirm_run_all",
            "confirm_run_group",
            "run",
            "run_all",
            "run_group",
        ),
    },
    "load": {Permission.READ: ("index",)},
    "logs": {Permission.READ: ("download", "stream", "tail")},
    "occurrences": {
        Permission.READ: ("explain", "show"),
        Permission.RUN_CANCEL: ("cancel", "confirm_cancel"),
        Permission.RUN_RETRY: ("confirm_retry", "retry"),
        Permission.SCHEDULE_RUN: ("confirm_slots",),
    },
    "overview": {Permission.READ: ("index",)},
    "pins": {Permission.SCHEDULE_EDIT: ("confirm", "pin", "unpin")},
    "runs": {
        Permission.READ: ("index", "show"),
        Permission.RUN_CANCEL: ("cancel",),
        Permission.RUN_RETRY: ("retry",),
    },
    "schedules": {
        Permission.READ: ("index", "show"),
        Permission.SCHEDULE_EDIT: (
            "confirm_disable",
            "confirm_enable",
            "confirm_pause",
            "confirm_resume",
            "disable",
            "enable",
            "pause",
            "resume",
        ),
        Permission.SCHEDULE_RUN: ("confirm_run", "run", "run_slots"),
    },
    "schedule_form": {
        Permission.READ: ("as_code",),
        Permission.SCHEDULE_EDIT: (
            "confirm_delete",
            "create",
            "delete",
            "edit",
            "new",
            "preview",
            "restore",
            "update",
        ),
    },
    "calendars": {
        Permission.READ: ("index", "show"),
        Permission.SCHEDULE_EDIT: (
            "confirm_delete",
            "create",
            "delete",
            "edit",
            "new",
            "restore",
            "update",
        ),
    },
    "settings": {Permission.SETTINGS_READ: ("index",)},
    "stats": {Permission.READ: ("index",)},
    "upcoming": {Permission.READ: ("confirm_feed", "end_feed", "feed", "index", "make_feed")},
    "users": {
        Permission.USER_EDIT: (
            "confirm_password",
            "create",
            "index",
            "set_active",
            "set_password",
            "set_role",
        )
    },
    "windows": {
        Permission.SCHEDULER_STOP: ("confirm_stop", "start", "stop"),
        Permission.WINDOW_EDIT: ("add", "confirm_add", "end"),
    },
    "workers": {
        Permission.READ: ("index", "preview_tick"),
        Permission.QUEUE_EDIT: ("confirm_pause_queue", "pause_queue", "resume_queue"),
        Permission.SCHEDULE_EDIT: ("confirm_resume_from_now", "resume_from_now"),
        Permission.WORKER_DRAIN: ("confirm_drain", "drain"),
    },
}
NEEDED = {
    f"{page}.{view}": permission
    for page, opened in _VIEWS.items()
    for permission, views in opened.items()
    for view in views
}
# Sent while somebody types, or to leave: neither counts among the changes of a minute.
_CHANGES_NOTHING = frozenset({"auth.leave", "schedule_form.preview"})
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
    if request.method == "POST" and request.endpoint not in _CHANGES_NOTHING:
        enforce_rate_limit(f"user:{current_user.name}")
        if NEEDED[request.endpoint] is not Permission.READ:
            refuse_change()
    return None


def may(endpoint: str) -> bool:
    """Return whether the signed-in person may use the route."""
    needed = NEEDED.get(endpoint)
    role: Role | None = getattr(current_user, "role", None)
    return role is not None and needed in ROLES[role]
