"""How fast one person, program or address may act, over all processes: counted in the database.

The generic cell rate algorithm (ITU-T I.371): one number a name, raised by one guarded statement,
so that requests that arrive together can't pass together.
"""

from datetime import datetime
from math import ceil

import sqlalchemy as sa

from tick.store.database import Database
from tick.store.sql import insert_into
from tick.store.tables import pace

_MINUTE = 60.0
# Far above the rounding of a double, far below any pace.
_ROUNDING = 1e-3
_AT_ONCE = 100
_p = pace.c


def seconds_to_wait(database: Database, name: str, a_minute: int, now: datetime) -> int:
    """Spend one of the acts that `name` has a minute: 0, or how long until there is one again.

    As many as that pass at once; afterwards they come back evenly. A refusal costs nothing.
    """
    instant, each = now.timestamp(), _MINUTE / a_minute
    with database.write.begin() as connection:
        if spend(connection, name, a_minute, now):
            connection.execute(_forget_the_rested(instant))
            return 0
        spent = sa.select(_p.spent_until).where(_p.id == name[:120])
        spent_until: float = connection.execute(spent).scalar_one()
    return max(1, ceil(spent_until + each - _MINUTE - instant))


def spend(
    connection: sa.Connection, name: str, acts: int, now: datetime, *, seconds: float = _MINUTE
) -> bool:
    """Spend one of the acts that `name` has in so many seconds, by one statement.

    False if none is left.
    """
    instant, each = now.timestamp(), seconds / acts
    first = insert_into(connection.dialect.name, pace).values(
        id=name[:120], spent_until=instant + each
    )
    rested = sa.case((_p.spent_until > instant, _p.spent_until), else_=instant)
    either = first.on_conflict_do_update(
        index_elements=[_p.id],
        set_={"spent_until": rested + each},
        where=_p.spent_until <= instant + seconds - each + _ROUNDING,
    )
    return connection.execute(either.returning(_p.id)).first() is not None


def _forget_the_rested(instant: float) -> sa.Delete:
    """Some of those who have all their acts again: having no row means the same.

    Comes after the one row that is waited for, and skips what others hold, so nothing can deadlock.
    """
    rested = sa.select(_p.id).where(_p.spent_until <= instant).limit(_AT_ONCE)
    return sa.delete(pace).where(_p.id.in_(rested.with_for_update(skip_locked=True)))
