"""Stores when each schedule fires by the calculator in use, so that a newer one can be compared.

A process with a newer croniter, or a newer rule of ours, can't work out what the older one would
have fired: `tick plan` reads it here.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from tick.cron.calculator_version import calculator
from tick.engine.ledger.zones import read_rule
from tick.engine.schedules.calculator import IN_USE
from tick.engine.schedules.lifecycle import WITH_RULE
from tick.policy.drift import AHEAD, MOST_COMPARED, forecast, pack
from tick.policy.rule import RULE_FORMAT
from tick.states import ScheduleState
from tick.store.database import begin_within
from tick.store.sql import AnyRow
from tick.store.tables import instant_forecast, job_schedule, schedule_version

CHUNK = 100
"""Schedules whose forecasts one transaction writes."""
# Written that much further than a plan looks, so that they are good for as long.
ROOM = AHEAD / 4
_s, _v, _f = job_schedule.c, schedule_version.c, instant_forecast.c


def write_forecasts(
    engine: sa.Engine, now: datetime, may_go_on: Callable[[], bool], patience_seconds: float
) -> int:
    """Write the forecasts that are missing or run out, and delete those of former versions.

    Returns how many were written. Writes none while another calculator is in use.
    """
    written = 0
    while True:
        with begin_within(engine, patience_seconds) as connection:
            in_use = connection.execute(sa.select(IN_USE)).scalar()
            if in_use is None or in_use.get("version") != calculator():
                return written
            rows = connection.execute(_WANTED, {"now": now, "calculator": calculator()}).all()
            _write(connection, rows, now)
            if len(rows) < CHUNK:
                connection.execute(_OF_FORMER_VERSIONS)
        written += len(rows)
        if len(rows) < CHUNK or not may_go_on():
            return written


def _write(connection: sa.Connection, rows: Sequence[AnyRow], now: datetime) -> None:
    if not rows:
        return
    ids = [row.version_id for row in rows]
    connection.execute(sa.delete(instant_forecast).where(_f.version_id.in_(ids)))
    connection.execute(sa.insert(instant_forecast), [_values(row, now) for row in rows])


def _values(row: AnyRow, now: datetime) -> dict[str, object]:
    reach = now + AHEAD + ROOM
    try:
        found = forecast(read_rule(row), now, reach)
        until, instants = found.until, found.instants
    except (ValueError, TypeError):
        until, instants = reach, []  # the tick says what is wrong with it
    return {
        "version_id": row.version_id,
        "calculator": calculator(),
        "since": now,
        "until": until,
        # Of a schedule that fires all the time a part is known; it is as good as new until then.
        "renew_at": reach - AHEAD if len(instants) < MOST_COMPARED else now + (until - now) / 4,
        "instants": pack(instants),
    }


_WANTED = (
    WITH_RULE.outerjoin(instant_forecast, _f.version_id == _s.version_id)
    .where(_s.state != ScheduleState.REMOVED, _v.rule_format <= RULE_FORMAT)
    .where(
        sa.or_(
            _f.version_id.is_(None),
            _f.calculator != sa.bindparam("calculator"),
            _f.renew_at <= sa.bindparam("now", type_=_f.renew_at.type),
        )
    )
    .limit(CHUNK)
)
_OF_FORMER_VERSIONS = sa.delete(instant_forecast).where(
    _f.version_id.not_in(sa.select(_s.version_id).where(_s.version_id.is_not(None)))
)
