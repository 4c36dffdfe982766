"""Rate limits of people, programs and addresses, counted in the database for all processes.

The generic cell rate algorithm (ITU-T I.371): one number for each name, raised by one guarded
statement, so that of simultaneous requests only as many pass as the limit allows.
"""

from datetime import datetime
from math import ceil

import sqlalchemy as sa

from tick.store.database import Database
from tick.store.sql import insert_into
from tick.store.tables import pace

_MINUTE = 60.0
# Far above the rounding of a double, far below any limit.
_ROUNDING = 1e-3
_MOST_DELETED = 100
_p = pace.c


def seconds_to_wait(database: Database, name: str, a_minute: int, now: datetime) -> int:
    """Take one of the `a_minute` requests that `name` has: 0, or the seconds until one is free.

    All of a minute may come at once; then they are given back evenly. A refusal costs nothing.
    """
    instant, each = now.timestamp(), _MINUTE / a_minute
    with database.write.begin() as connection:
        if take(connection, name, a_minute, now):
            connection.execute(_delete_full_buckets(instant))
            return 0
        spent = sa.select(_p.spent_until).where(_p.id == name[:120])
        spent_until: float = connection.execute(spent).scalar_one()
    return max(1, ceil(spent_until + each - _MINUTE - instant))


def take(
    connection: sa.Connection, name: str, limit: int, now: datetime, *, seconds: float = _MINUTE
) -> bool:
    """Take one of the `limit` requests that `name` has in `seconds`; False if none is left."""
    instant, each = now.timestamp(), seconds / limit
    first = insert_into(connection.dialect.name, pace).values(
        id=name[:120], spent_until=instant + each
    )
    refilled = sa.case((_p.spent_until > instant, _p.spent_until), else_=instant)
    either = first.on_conflict_do_update(
        index_elements=[_p.id],
        set_={"spent_until": refilled + each},
        where=_p.spent_until <= instant + seconds - each + _ROUNDING,
    )
    return connection.execute(either.returning(_p.id)).first() is not None


def _delete_full_buckets(instant: float) -> sa.Delete:
    """Delete some rows of names that have all their requests again, as without a row."""
    # Comes after the one lock that is waited for and skips rows that others hold: no deadlock.
    refilled = sa.select(_p.id).where(_p.spent_until <= instant).limit(_MOST_DELETED)
    return sa.delete(pace).where(_p.id.in_(refilled.with_for_update(skip_locked=True)))
