"""What pruning leaves behind in the table of settings: how far it went, and sums of ticks.

The migrations make the rows, so that each change is a guarded UPDATE.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.models import setting

EVERY = timedelta(hours=1)
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
    """Whether it is time to prune, and this caller's turn: once in an hour, whoever asks."""
    taken = sa.update(setting).where(*_TURN_DUE).values(updated_at=now)
    return connection.execute(taken, {"pruned_before": now - EVERY}).rowcount == 1


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
IS_TURN_DUE = sa.exists().where(*_TURN_DUE).select_from(setting)
