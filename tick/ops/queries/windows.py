"""Maintenance windows, and the stops and starts of the scheduler."""

from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from tick.engine.ledger.windows import windows_touching as windows_touching
from tick.ops.queries.revisions import revision_of
from tick.ops.schemas import Schema
from tick.policy.windows import Phase, Window
from tick.store.tables import maintenance_window

_w = maintenance_window.c
LISTED = 100


class MaintenanceWindow(Schema):
    """A time [starts_at, ends_at) in which nothing fires."""

    id: int
    starts_at: datetime
    ends_at: datetime | None = Field(description="null: the scheduler is stopped")
    phase: Phase
    reason: str
    created_by: str
    created_at: datetime
    ended_by: str | None = Field(description="who ended it before its time, or called it off")
    revision: str = Field(description="changes when somebody ends it; for If-Match")


def list_windows(connection: sa.Connection, now: datetime) -> tuple[MaintenanceWindow, ...]:
    """Return the LISTED windows that begin last, the latest first."""
    rows = connection.execute(
        sa.select(maintenance_window).order_by(_w.starts_at.desc(), _w.id.desc()).limit(LISTED)
    )
    return tuple(
        MaintenanceWindow(
            phase=Window(row.id, row.starts_at, row.ends_at, row.reason, row.created_by).phase(now),
            revision=revision_of(row.starts_at, row.ends_at, row.ended_by),
            **row._mapping,
        )
        for row in rows
    )


def scheduler_revision(connection: sa.Connection) -> str:
    """Return a digest that changes with each stop and start, and never comes back."""
    return revision_of(*connection.execute(_STOPS).one())


# What is stopped, and the last stop, over or not: it begins as it is made, as few windows do.
_STOPS = sa.select(
    sa.func.max(sa.case((_w.ends_at.is_(None), _w.id))),
    sa.func.max(sa.case((_w.starts_at == _w.created_at, _w.id))),
)
