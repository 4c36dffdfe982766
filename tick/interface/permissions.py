"""Permissions, and the roles that hold them."""

from collections.abc import Mapping
from enum import StrEnum

from tick.states import Role


class Permission(StrEnum):
    """Needed by operations and pages of the console; a role is a set of these."""

    READ = "read"
    SETTINGS_READ = "settings.read"
    SCHEDULE_EDIT = "schedule.edit"
    SCHEDULE_RUN = "schedule.run"
    JOB_RUN = "job.run"
    RUN_CANCEL = "run.cancel"
    RUN_RETRY = "run.retry"
    ALERT_CLOSE = "alert.close"
    ALERT_MUTE = "alert.mute"
    ALERT_TEST = "alert.test"
    QUEUE_EDIT = "queue.edit"
    WORKER_DRAIN = "worker.drain"
    SCHEDULER_STOP = "scheduler.stop"
    WINDOW_EDIT = "window.edit"
    USER_EDIT = "user.edit"


ROLES: Mapping[Role, frozenset[Permission]] = {
    # From the least to the most powerful: `least_role` takes the first that holds a permission.
    Role.VIEWER: frozenset({Permission.READ}),
    Role.ADMIN: frozenset(Permission),
}


def least_role(needed: Permission) -> Role:
    """Return the least powerful role that holds a permission."""
    return next(role for role, held in ROLES.items() if needed in held)
