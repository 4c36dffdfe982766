"""A schedule's fields under the names that a client written for the proposal reads."""

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any

from pydantic import computed_field

from tick.ops.schemas import Schema
from tick.states import Mode


def _told(read: Callable[[Any], Any], kind: Any, description: str) -> Any:
    return computed_field(return_type=kind, description=description)(property(read))


def _also(name: str, kind: Any) -> Any:
    """Return a field that tells another one a second time."""
    return _told(attrgetter(name), kind, f"as `{name}`")


def _term(name: str) -> Callable[[Any], Any]:
    return lambda schedule: (schedule.rule or {}).get(name)


def _interval_ms(schedule: Any) -> int | None:
    seconds = _term("every_seconds")(schedule)
    return round(seconds * 1000) if isinstance(seconds, int | float) else None


def _limit(name: str) -> Callable[[Any], Any]:
    return lambda schedule: getattr(schedule.limits, name, None)


class ProposalNames(Schema):
    """The second names of a schedule's fields; the first ones are its own."""

    scheduleType = _told(_term("kind"), str | None, "as `kind` of the rule")
    cronExpression = _told(_term("cron"), str | None, "as `cron` of the rule")
    intervalMs = _told(_interval_ms, int | None, "as `every_seconds` of the rule")
    maxConcurrent = _told(_limit("max_concurrent"), int | None, "as `max_concurrent` of the limits")
    timeout = _told(_limit("timeout_seconds"), float | None, "as `timeout_seconds` of the limits")
    maxRetries = _told(_limit("retries"), int | None, "as `retries` of the limits")
    executionMode = _also("mode", Mode | None)
    nextRunAt = _also("next_run_at", datetime | None)
    lastRunAt = _also("last_run_at", datetime | None)
    lastRunId = _also("last_run_id", int | None)
    runCount = _also("run_count", int)
    failureCount = _also("failure_count", int)
