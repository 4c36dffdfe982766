"""What fires next, over all schedules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice

import sqlalchemy as sa

from tick.db import AnyRow
from tick.engine.windows import windows_touching
from tick.models import job_schedule, schedule_version
from tick.ops.queries.upcoming import next_after
from tick.policy import missed
from tick.policy.rule import Rule
from tick.policy.windows import Window, covering
from tick.states import ScheduleState

_s, _v = job_schedule.c, schedule_version.c


@dataclass(frozen=True, order=True)
class Upcoming:
    """One instant to come; `fires` is False while its schedule is off, paused or removed.

    `blackout` says which window it lies in: then it does not fire either.
    """

    at: datetime
    schedule_id: str
    name: str
    timezone: str
    fires: bool
    blackout: str | None = None


@dataclass(frozen=True)
class Undecided:
    """Instants that passed while a schedule was off, and that going on would suppress."""

    count: int
    first: datetime | None = None
    last: datetime | None = None


def list_upcoming(
    connection: sa.Connection,
    now: datetime,
    count: int,
    *,
    until: datetime | None = None,
    with_off: bool = False,
) -> list[Upcoming]:
    """The next `count` instants after `now`; `with_off` includes schedules that don't fire."""
    rows = connection.execute(_ROWS)
    lists = (_next_of(row, now, until, count) for row in rows if with_off or _fires(row))
    found = list(islice(merge(*lists), count))
    windows = windows_touching(connection, now, found[-1].at) if found else []
    return [_as_it_will_be(item, windows) for item in found]


def _as_it_will_be(item: Upcoming, windows: Sequence[Window]) -> Upcoming:
    window = covering(windows, item.at)
    return item if window is None else replace(item, fires=False, blackout=window.in_words())


def count_undecided(connection: sa.Connection, schedule_id: str, now: datetime) -> Undecided:
    """What enabling or resuming now would write as SUPPRESSED."""
    row = connection.execute(_ROWS.where(_s.id == schedule_id)).first()
    if row is None or _fires(row):
        return Undecided(0)
    entries = missed.suppressed(Rule.from_json(row.rule), row.decided_to, now, "")
    return (
        Undecided(entries[0].count, entries[0].first, entries[0].last) if entries else Undecided(0)
    )


def _next_of(row: AnyRow, now: datetime, until: datetime | None, count: int) -> list[Upcoming]:
    found = next_after(row.rule, max(now, row.decided_to), count, until)
    if not found:
        return []
    rule = Rule.from_json(row.rule)
    if rule.max_runs is not None:
        found = found[: max(rule.max_runs - row.run_count, 0)]
    return [Upcoming(at, row.id, row.name, rule.timezone, _fires(row)) for at in found]


def _fires(row: AnyRow) -> bool:
    return bool(row.enabled) and row.state == ScheduleState.ACTIVE


_ROWS = (
    sa.select(_s.id, _s.name, _s.enabled, _s.state, _s.decided_to, _s.run_count, _v.rule)
    .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
    .order_by(_s.id)
)
