"""Whose turn it is: transactions of which only one may be at work, on PostgreSQL."""

from enum import IntEnum

import sqlalchemy as sa


class AdvisoryLock(IntEnum):
    """What transactions do one after another: a number each that nothing else here locks."""

    ALERTS = 0x616C6572
    LIMITS = 0x7469636B
    NAMES = 0x6E616D65
    QUEUES = 0x71756575
    STOPS = 0x73746F70
    UPGRADE = 0x75706772


_WAIT_FOR_TURN = sa.select(sa.func.pg_advisory_xact_lock(sa.bindparam("turn", type_=sa.BigInteger)))
_TRY_TURN = sa.select(sa.func.pg_try_advisory_xact_lock(sa.bindparam("turn", type_=sa.BigInteger)))


def acquire(connection: sa.Connection, turn: AdvisoryLock) -> None:
    """Wait until no other transaction has this turn, and keep it to the end of this one.

    For what no row stands for yet that could be locked. SQLite's writers take turns anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_WAIT_FOR_TURN, {"turn": turn})


def try_acquire(connection: sa.Connection, turn: AdvisoryLock) -> bool:
    """As `acquire`, but without waiting: whether it is this transaction's turn."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(_TRY_TURN, {"turn": turn}).scalar())
