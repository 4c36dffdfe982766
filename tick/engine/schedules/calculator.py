"""The code that works out instants: stored next instants remember which one did it.

An upgraded croniter, or a change of our own rule around it, may put an instant elsewhere. A process
that has a newer one works every stored next instant out anew from its cursor, in bounded steps; one
that has an older one changes nothing.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.cron.calculator_version import calculator, calculator_is_newer
from tick.engine.ledger.audit import Act, Author
from tick.engine.schedules.zone_changes import (
    ZoneDataRequest,
    apply_newer_zone_data,
    lock_schedules,
    work_out_anew,
)
from tick.store.tables import job_schedule, setting

NAME = "calculator"
_s = setting.c
IN_USE = sa.select(_s.value).where(_s.name == NAME).scalar_subquery()
"""The `version` of the code that worked out the next instants; while it changes, `up_to` an id."""


def is_outdated(in_use: dict[str, Any] | None) -> bool:
    """Whether stored next instants were worked out by something older than this process has."""
    return in_use is not None and calculator_is_newer(in_use.get("version"))


def apply_newer_rules(
    connection: sa.Connection, now: datetime, limit: int, request: ZoneDataRequest
) -> bool:
    """Go by newer zone data and newer code; whether more is to do. One bounded step."""
    return apply_newer_zone_data(connection, now, limit, request) or apply_newer_calculator(
        connection, now, limit, request.author
    )


def apply_newer_calculator(
    connection: sa.Connection, now: datetime, limit: int, author: Author
) -> bool:
    """Work out the next instants of up to `limit` schedules anew; whether more are to do."""
    # Under lock: one process at a time works them out, and the next goes on behind it.
    mark = sa.select(_s.value).where(_s.name == NAME).with_for_update()
    found = connection.execute(mark).scalar()
    if found is None or not is_outdated(found):
        return False
    rows = lock_schedules(connection, job_schedule.c.id > found.get("up_to", ""), limit=limit)
    for row in rows:
        work_out_anew(connection, row, now)
    if len(rows) == limit:
        _write(connection, found | {"up_to": rows[-1].id}, now)
        return True
    _write(connection, {"version": calculator()}, now)
    if "version" in found:
        Act(now, author).record(
            connection,
            "calculator.change",
            "next instants",
            before={"version": found["version"]},
            after={"version": calculator()},
        )
    return False


def _write(connection: sa.Connection, value: dict[str, Any], now: datetime) -> None:
    change = sa.update(setting).where(_s.name == NAME)
    connection.execute(change.values(value=value, updated_at=now, updated_by="system"))
