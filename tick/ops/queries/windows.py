"""Maintenance windows, and the stops and starts of the scheduler."""

from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from tick.cron.weekly_times import weekly_in_words
from tick.engine.ledger.windows import (
    FOR_ALL as FOR_ALL,
)
from tick.engine.ledger.windows import (
    FOREVER,
    end_of,
    end_of_window,
    window_of,
    windows_touching,
)
from tick.engine.ledger.windows import Recurrence as Recurrence
from tick.engine.ledger.windows import Scope as Scope
from tick.engine.ledger.windows import weekly as weekly
from tick.ops.queries.revisions import revision_of
from tick.ops.schemas import Schema
from tick.policy.windows import Phase, Window, expand
from tick.states import AfterWindow
from tick.store.sql import AnyRow
from tick.store.tables import maintenance_window

_w = maintenance_window.c
LISTED = 100


class MaintenanceWindow(Schema):
    """A time [starts_at, ends_at) in which nothing fires, or in which such times recur."""

    id: int
    schedule_id: str | None = Field(description="the schedule that does not fire")
    label: str | None = Field(description="or the label of those; with neither, all")
    name: str | None = Field(description="its name in the definitions; null: a person planned it")
    starts_at: datetime
    ends_at: datetime | None = Field(
        description="null: the scheduler is stopped, or it recurs until somebody ends it"
    )
    cron: str | None = Field(description="when it begins, if it recurs")
    timezone: str | None = Field(description="of `cron`")
    length_seconds: float | None = Field(description="how long it lasts each time, if it recurs")
    end_cron: str | None = Field(description="when it ends each time, if that is by the clock")
    then: AfterWindow = Field(
        description="run: what is due in it fires after it, the newest for all; skip: never"
    )
    phase: Phase
    reason: str
    created_by: str
    created_at: datetime
    ended_by: str | None = Field(description="who ended it before its time, or called it off")
    revision: str = Field(description="changes when somebody ends it; for If-Match")

    @property
    def is_stop(self) -> bool:
        """Whether it is the scheduler standing still."""
        return self.ends_at is None and self.cron is None

    @property
    def weekly(self) -> str | None:
        """Return its times of the week, if it ends by the clock."""
        if self.cron is None or self.end_cron is None:
            return None
        return weekly_in_words(self.cron, self.end_cron)


def list_windows(connection: sa.Connection, now: datetime) -> tuple[MaintenanceWindow, ...]:
    """Return the LISTED windows that begin last, the latest first."""
    rows = connection.execute(
        sa.select(maintenance_window).order_by(_w.starts_at.desc(), _w.id.desc()).limit(LISTED)
    )
    return tuple(_listed(row, now) for row in rows)


def _listed(row: AnyRow, now: datetime) -> MaintenanceWindow:
    shown, end = dict(row._mapping), end_of(row)
    del shown["over_at"], shown["until_at"]
    shown["ends_at"] = None if end == FOREVER else end
    shown["then"] = AfterWindow.RUN if shown.pop("run_after") else AfterWindow.SKIP
    return MaintenanceWindow(
        phase=window_of(row).phase(now), revision=window_revision(row), **shown
    )


def window_revision(row: AnyRow) -> str:
    """Return a digest of a window's row that changes when somebody ends it."""
    return revision_of(row.starts_at, end_of(row), row.ended_by)


def closed_times(connection: sa.Connection, since: datetime, until: datetime) -> list[Window]:
    """Return the times from `since` to `until` in which windows keep schedules from firing."""
    return expand(windows_touching(connection, since, until), since, until)


def scheduler_revision(connection: sa.Connection) -> str:
    """Return a digest that changes with each stop and start, and never comes back."""
    return revision_of(*connection.execute(_STOPS).one())


# What is stopped, and the last stop, over or not: it begins as it is made, as few windows do.
_STOPS = sa.select(
    sa.func.max(sa.case((end_of_window.is_(None), _w.id))),
    sa.func.max(sa.case((sa.and_(_w.starts_at == _w.created_at, _w.over_at.is_(None)), _w.id))),
)
