"""Job Schedule Manager: the names that definitions and callers use, and nothing else.

from tick import Schedule, command, current_run, http, job     # in definitions/
from tick import tick                                          # whoever calls once a minute
"""

from typing import TYPE_CHECKING

from tick.define import alerts
from tick.define.calendars import Calendar
from tick.define.jobs import job
from tick.define.month_days import business_day, last_day, last_weekday, nearest_weekday
from tick.define.outcomes import Cancel, Retry, Skip, Snooze
from tick.define.schedules import Schedule
from tick.define.steps import days, months, weeks
from tick.define.windows import Window
from tick.errors import DefinitionsInvalid, InvalidCron, TickError
from tick.job_types.command import command
from tick.job_types.http import http
from tick.version import __version__

if TYPE_CHECKING:
    from datetime import datetime

    from tick.executors.context import CurrentRun
    from tick.ticks.result import TickResult

__all__ = [
    "Calendar",
    "Cancel",
    "DefinitionsInvalid",
    "InvalidCron",
    "Retry",
    "Schedule",
    "Skip",
    "Snooze",
    "TickError",
    "Window",
    "__version__",
    "alerts",
    "business_day",
    "command",
    "current_run",
    "days",
    "http",
    "job",
    "last_day",
    "last_weekday",
    "months",
    "nearest_weekday",
    "prune",
    "tick",
    "weeks",
]

# The functions below import the engine when they are called: definitions import this module, and a
# child process that runs a job has no use for a database.


def tick(now: "datetime | None" = None, *, simulated: bool = False) -> "TickResult":
    """Decide everything that is due at `now` (default: the shared clock's instant).

    May be called by anybody, any number of times: each due instant is decided once. Raises
    TickError: InvalidInstant for a `now` without a time zone, ClockError for one that is more than
    five minutes ahead of the shared clock. A `simulated` tick may be, and prunes nothing.
    """
    from tick.notify.dispatcher import after_tick
    from tick.runtime import open_runtime, refuse_ahead
    from tick.store.schema import check_schema
    from tick.syncing import ensure_synced
    from tick.ticks.tick import run_tick
    from tick.utc import utc

    with open_runtime() as runtime:
        check_schema(runtime.database)
        shared = runtime.now()
        now = shared if now is None else utc(now, "now")
        if not simulated:
            refuse_ahead(now, shared)
        ensure_synced(runtime, now)
        result = run_tick(runtime, now, source="tick()", simulated=simulated)
        after_tick(runtime, result, runtime.settings.http_budget_seconds)
        return result


def current_run() -> "CurrentRun":
    """Return the run that is being executed; outside of a run, a stand-in that does nothing."""
    from tick.executors.context import current_run as current

    return current()


def prune(keep_days: int | None = None) -> dict[str, int]:
    """Delete the manager's own rows older than `keep_days` (default: the setting).

    Returns how many rows of each table were deleted.
    """
    from tick.engine.statistics.prune import Keep, prune_all
    from tick.runtime import open_runtime

    with open_runtime() as runtime:
        keep = Keep.of(runtime.settings, keep_days)
        return prune_all(runtime.database.write, runtime.now(), keep)[0]
