"""Advisory locks, by which PostgreSQL lets only one of some transactions work at a time."""

from enum import IntEnum

import sqlalchemy as sa


class AdvisoryLock(IntEnum):
    """The number of each lock; nothing else in this database may take the same."""

    ALERTS = 0x616C6572
    LIMITS = 0x7469636B
    NAMES = 0x6E616D65
    QUEUES = 0x71756575
    STOPS = 0x73746F70
    UPGRADE = 0x75706772


_LOCK = sa.bindparam("lock", type_=sa.BigInteger)
_ACQUIRE = sa.select(sa.func.pg_advisory_xact_lock(_LOCK))
_TRY_ACQUIRE = sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))


def acquire(connection: sa.Connection, lock: AdvisoryLock) -> None:
    """Wait for the lock, and keep it to the end of this transaction."""
    # For where there is no row yet that could be locked. SQLite has one writer at a time anyway.
    if connection.dialect.name == "postgresql":
        connection.execute(_ACQUIRE, {"lock": lock})


def try_acquire(connection: sa.Connection, lock: AdvisoryLock) -> bool:
    """Take the lock if it is free, without waiting; False if another transaction has it."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(_TRY_ACQUIRE, {"lock": lock}).scalar())
