"""The marks of pruning in the table of settings: how far it went, and sums of ticks.

The migrations make the rows, so that each change is a guarded UPDATE.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.store.tables import setting

EVERY = timedelta(hours=1)
NEVER = datetime(1971, 1, 1, tzinfo=UTC)
"""The migration that made the row put it earlier: then nothing was ever pruned."""
JUMP = timedelta(days=3)
"""A longer time between two prunings is an outage, or a clock that jumped."""
LAST_PRUNE, LEDGER, TICKS = "prune-turn", "pruned-ledger", "pruned-ticks"
_s = setting.c


def pruned_up_to(connection: sa.Connection) -> datetime | None:
    """The latest instant whose ledger row was pruned: the ledger is whole after it.

    None when nothing was pruned yet. Rows before it may still be there.
    """
    found = _read(connection, LEDGER).get("up_to")
    return None if found is None else datetime.fromisoformat(found)


def note_ledger(connection: sa.Connection, up_to: datetime, now: datetime) -> None:
    """Note that rows of the ledger up to that instant are gone; the mark only rises."""
    before = pruned_up_to(_locked(connection, LEDGER))
    if before is None or before < up_to:
        _write(connection, LEDGER, {"up_to": up_to.isoformat()}, now)


def pruned_ticks(connection: sa.Connection) -> dict[str, int]:
    """The sums of the pruned rows of the log of ticks, by column; empty at first."""
    return dict(_read(connection, TICKS))


def note_ticks(connection: sa.Connection, sums: Mapping[str, int], now: datetime) -> None:
    """Add what rows that are being pruned sum up to."""
    before = pruned_ticks(_locked(connection, TICKS))
    total = {name: before.get(name, 0) + number for name, number in sums.items()}
    _write(connection, TICKS, total, now)


def claim_prune(connection: sa.Connection, now: datetime) -> bool:
    """Claim this hour's pruning, of which there is one, whoever asks; False if it is not due."""
    long_ago = {"pruned_before": now - EVERY}
    before = connection.execute(_BEFORE, long_ago).scalar()
    if before is None:
        return False
    claimed = sa.update(setting).where(*_IS_DUE).values(updated_at=now)
    is_mine = connection.execute(claimed, long_ago).rowcount == 1
    # The first one after a jump of the clock is let pass: a clock that is ahead for less than an
    # hour deletes no history.
    return is_mine and (before <= NEVER or now - before < JUMP)


def release_prune(connection: sa.Connection, now: datetime) -> None:
    """Let the next tick claim the pruning again: there was more to delete than this one could."""
    # As if the last one were two hours ago: due at once, and no jump of the clock.
    due = sa.update(setting).where(_s.name == LAST_PRUNE).values(updated_at=now - 2 * EVERY)
    connection.execute(due)


def _read(connection: sa.Connection, name: str) -> dict[str, Any]:
    found = connection.execute(sa.select(_s.value).where(_s.name == name)).scalar()
    return found or {}


def _locked(connection: sa.Connection, name: str) -> sa.Connection:
    connection.execute(sa.select(_s.name).where(_s.name == name).with_for_update())
    return connection


def _write(connection: sa.Connection, name: str, value: Mapping[str, Any], now: datetime) -> None:
    new = sa.update(setting).where(_s.name == name).values(value=dict(value), updated_at=now)
    connection.execute(new)


_LONG_AGO = sa.bindparam("pruned_before", type_=_s.updated_at.type)
_IS_DUE = (_s.name == LAST_PRUNE, _s.updated_at <= _LONG_AGO)
_BEFORE = sa.select(_s.updated_at).where(*_IS_DUE)
IS_PRUNE_DUE = sa.exists().where(*_IS_DUE).select_from(setting)
