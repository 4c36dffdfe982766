"""Schedules with the figures that hang on more than their rows: success rate and grace."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger.tick_log import learned_tick_seconds
from tick.ops.queries.schedules import Schedule, SchedulePage, get_schedule, list_schedules
from tick.ops.queries.stats import RATED, success_rates
from tick.policy.missed import grace_seconds
from tick.policy.rule import Rule


def list_items(
    connection: sa.Connection,
    now: datetime,
    *,
    after: str | None = None,
    label: str | None = None,
) -> SchedulePage:
    """Return a page of schedules with their figures; five statements."""
    page = list_schedules(connection, after=after, label=label)
    return page.model_copy(update={"items": _with_figures(connection, page.items, now)})


def read_item(connection: sa.Connection, schedule_id: str, now: datetime) -> Schedule:
    """Read a schedule with its figures. Raises NotFound."""
    return _with_figures(connection, [get_schedule(connection, schedule_id)], now)[0]


def _with_figures(
    connection: sa.Connection, found: Sequence[Schedule], now: datetime
) -> tuple[Schedule, ...]:
    rates = success_rates(connection, now - RATED, [each.id for each in found])
    ticks = learned_tick_seconds(connection)
    return tuple(
        each.model_copy(
            update={"success_rate": rates.get(each.id), "grace_seconds": _grace(each, ticks)}
        )
        for each in found
    )


def _grace(schedule: Schedule, tick_seconds: float) -> float | None:
    if schedule.rule_text is None or schedule.timing.mistake is not None:
        return None
    return grace_seconds(Rule.from_json(schedule.rule_text), tick_seconds)
