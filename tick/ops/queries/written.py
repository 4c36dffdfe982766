"""The options that a person gave a schedule that was made by hand, as they are edited again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.engine.schedules.custom import lives_in_code
from tick.states import ScheduleSource
from tick.store.tables import job_schedule, schedule_version

_s, _v = job_schedule.c, schedule_version.c


@dataclass(frozen=True)
class Written:
    """One version: the options that were given, when and by whom."""

    number: int
    since: datetime
    by: str
    options: Mapping[str, Any]


def get_written(connection: sa.Connection, schedule_id: str) -> Written:
    """The version in force. Raises Refused for a schedule that lives in code."""
    if (found := read_written(connection, schedule_id)) is None:
        raise lives_in_code(schedule_id)
    return found


def read_written(
    connection: sa.Connection, schedule_id: str, number: int | None = None
) -> Written | None:
    """The version of that number, or the one in force; None where nobody wrote it by hand."""
    query = sa.select(_v.number, _v.since, _v.by, _v.definition).where(
        _s.id == schedule_id, _s.source == ScheduleSource.CUSTOM
    )
    if number is None:
        query = query.join_from(job_schedule, schedule_version, _v.id == _s.version_id)
    else:
        query = query.join_from(job_schedule, schedule_version, _v.schedule_id == _s.id)
        query = query.where(_v.number == number)
    row = connection.execute(query).one_or_none()
    if row is None or "written" not in row.definition:
        return None
    return Written(row.number, row.since, row.by, row.definition["written"])
