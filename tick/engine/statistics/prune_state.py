"""What pruning leaves behind in the table of settings: how far it went, and sums of ticks.

The migrations make the rows, so that each change is a guarded UPDATE.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.store.tables import setting

EVERY = timedelta(hours=1)
NEVER = datetime(1971, 1, 1, tzinfo=UTC)
"""The turn before the first lies earlier."""
JUMP = timedelta(days=3)
"""A longer time between two turns is an outage, or a clock that jumped."""
TURN, LEDGER, TICKS = "prune-turn", "pruned-ledger", "pruned-ticks"
_s = setting.c


def pruned_up_to(connection: sa.Connection) -> datetime | None:
    """The latest instant whose ledger row was pruned: the ledger is whole after it.

    None when nothing was pruned yet. Rows before it may still be there.
    """
    found = _read(connection, LEDGER).get("up_to")
    return None if found is None else datetime.fromisoformat(found)


def note_ledger(connection: sa.Connection, up_to: datetime, now: datetime) -> None:
    """Rows of the ledger up to that instant are gone; the mark only rises."""
    before = pruned_up_to(_locked(connection, LEDGER))
    if before is None or before < up_to:
        _write(connection, LEDGER, {"up_to": up_to.isoformat()}, now)


def pruned_ticks(connection: sa.Connection) -> dict[str, int]:
    """What the pruned rows of the log of ticks summed up to, by column; nothing at first."""
    return dict(_read(connection, TICKS))


def note_ticks(connection: sa.Connection, sums: Mapping[str, int], now: datetime) -> None:
    """Add what rows that are being pruned sum up to."""
    before = pruned_ticks(_locked(connection, TICKS))
    total = {name: before.get(name, 0) + number for name, number in sums.items()}
    _write(connection, TICKS, total, now)


def take_turn(connection: sa.Connection, now: datetime) -> bool:
    """Whether it is time to prune, and this caller's turn: once in an hour, whoever asks.

    The first turn after a jump of the clock is let pass: history is not deleted by a clock that is
    ahead for less than an hour.
    """
    long_ago = {"pruned_before": now - EVERY}
    before = connection.execute(_LAST_TURN, long_ago).scalar()
    if before is None:
        return False
    taken = sa.update(setting).where(*_TURN_DUE).values(updated_at=now)
    is_mine = connection.execute(taken, long_ago).rowcount == 1
    return is_mine and (before <= NEVER or now - before < JUMP)


def give_back_turn(connection: sa.Connection, now: datetime) -> None:
    """There is more to prune than this turn had time for."""
    connection.execute(
        sa.update(setting).where(_s.name == TURN).values(updated_at=now - EVERY - EVERY)
    )


def _read(connection: sa.Connection, name: str) -> dict[str, Any]:
    found = connection.execute(sa.select(_s.value).where(_s.name == name)).scalar()
    return found or {}


def _locked(connection: sa.Connection, name: str) -> sa.Connection:
    connection.execute(sa.select(_s.name).where(_s.name == name).with_for_update())
    return connection


def _write(connection: sa.Connection, name: str, value: Mapping[str, Any], now: datetime) -> None:
    connection.execute(
        sa.update(setting).where(_s.name == name).values(value=dict(value), updated_at=now)
    )


_TURN_DUE = (
    _s.name == TURN,
    _s.updated_at <= sa.bindparam("pruned_before", type_=_s.updated_at.type),
)
_LAST_TURN = sa.select(_s.updated_at).where(*_TURN_DUE)
IS_TURN_DUE = sa.exists().where(*_TURN_DUE).select_from(setting)
