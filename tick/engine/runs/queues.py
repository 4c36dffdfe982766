"""A paused queue: no run of it is claimed until somebody resumes it. A row in `setting` each."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger.audit import Act
from tick.engine.runs.wake_workers import announce_ready
from tick.store.sql import AnyRow, insert_ignore
from tick.store.tables import setting

_PREFIX = "paused-queue:"
_s = setting.c


@dataclass(frozen=True)
class QueuePause:
    """Why a queue is paused, by whom, and since when."""

    reason: str
    by: str
    since: datetime


def pause_queue(connection: sa.Connection, name: str, reason: str, act: Act) -> bool:
    """Pause the queue; False when it was paused."""
    by = {"updated_at": act.now, "updated_by": act.author.name}
    insert = insert_ignore(connection.dialect.name, setting)
    row = insert.values(name=_PREFIX + name, value={"reason": reason}, **by)
    return connection.execute(row.returning(_s.name)).scalar() is not None


def resume_queue(connection: sa.Connection, name: str) -> bool:
    """Let its runs be claimed again; False when it was not paused."""
    gone = connection.execute(sa.delete(setting).where(_s.name == _PREFIX + name))
    announce_ready(connection)
    return gone.rowcount == 1


def paused_queues(connection: sa.Connection) -> dict[str, QueuePause]:
    """The paused queues by name."""
    rows = connection.execute(sa.select(setting).where(_s.name.startswith(_PREFIX)))
    return {row.name.removeprefix(_PREFIX): _pause(row) for row in rows}


def _pause(row: AnyRow) -> QueuePause:
    return QueuePause(row.value["reason"], row.updated_by, row.updated_at)


def pause_of(connection: sa.Connection, name: str) -> QueuePause | None:
    """The pause of a queue; None when it is not paused."""
    row = connection.execute(sa.select(setting).where(_s.name == _PREFIX + name)).first()
    return None if row is None else _pause(row)


def is_paused(queue: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether the queue that a column names is paused."""
    return sa.exists().where(_s.name == sa.literal(_PREFIX, sa.String) + queue)
