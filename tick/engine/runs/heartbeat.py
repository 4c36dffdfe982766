"""A living process says so: registered, beating, draining, stopped. All by guarded updates."""

import os
import secrets
import socket
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.engine.ledger.environment import (
    ENVIRONMENT,
    expect_environment,
    stored_environment,
)
from tick.states import LIVING_WORKERS, WorkerStatus, WorkerType
from tick.store.tables import worker_instance
from tick.version import __version__

_w = worker_instance.c


def register_worker(
    connection: sa.Connection,
    *,
    worker_type: WorkerType,
    now: datetime,
    abilities: Mapping[str, Any],
    environment: str | None = None,
) -> str:
    """Register this process under a new random id; the id.

    Raises WrongEnvironment if the database belongs to another one than `environment`.
    """
    if environment is not None:
        expect_environment(stored_environment(connection), environment)
    worker_id = secrets.token_hex(8)
    connection.execute(
        sa.insert(worker_instance),
        {
            "id": worker_id,
            "worker_type": worker_type,
            "status": WorkerStatus.RUNNING,
            "hostname": socket.gethostname()[:255],
            "pid": os.getpid(),
            "version": __version__,
            "started_at": now,
            "last_heartbeat_at": now,
            "abilities": dict(abilities),
        },
    )
    return worker_id


def beat(
    connection: sa.Connection,
    worker_id: str,
    now: datetime,
    activity: str = "",
    environment: str | None = None,
) -> WorkerStatus | None:
    """Beat; the status that others see, or None when they declared this process dead.

    Raises WrongEnvironment if the database belongs to another one than `environment` by now.
    """
    row = connection.execute(
        sa.update(worker_instance)
        .where(_w.id == worker_id, _w.status.in_(LIVING_WORKERS))
        .values(last_heartbeat_at=now, activity=activity[:200])
        .returning(_w.status, ENVIRONMENT.label("environment"))
    ).one_or_none()
    if row is None:
        return None
    if environment is not None:
        expect_environment(row.environment, environment)
    return WorkerStatus(row.status)


def drain_worker(connection: sa.Connection, worker_id: str) -> bool:
    """Ask a process to take nothing new and to stop when it is done; False if it is not running."""
    return _move(connection, worker_id, [WorkerStatus.RUNNING], {"status": WorkerStatus.DRAINING})


def stop_worker(connection: sa.Connection, worker_id: str, now: datetime) -> bool:
    """Say that the process ends by itself; False if others declared it dead before."""
    stopped = {"status": WorkerStatus.STOPPED, "stopped_at": now, "activity": None}
    return _move(connection, worker_id, LIVING_WORKERS, stopped)


def _move(
    connection: sa.Connection,
    worker_id: str,
    seen: Collection[WorkerStatus],
    values: Mapping[str, Any],
) -> bool:
    moved = sa.update(worker_instance).where(_w.id == worker_id, _w.status.in_(seen))
    return connection.execute(moved.values(**values)).rowcount == 1
