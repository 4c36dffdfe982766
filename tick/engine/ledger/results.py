"""What a tick wrote, read back by its id."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.states import Outcome
from tick.store.sql import AnyRow
from tick.store.tables import occurrence

_o = occurrence.c
LISTED = 200


@dataclass(frozen=True)
class OccurrenceLine:
    """One ledger row in short; `count` instants from `scheduled_for` on."""

    id: int
    schedule_id: str
    scheduled_for: datetime
    count: int
    outcome: Outcome
    reason: str | None
    late_seconds: float | None
    runs: int

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"scheduled_for": self.scheduled_for.isoformat()}


def count_outcomes(connection: sa.Connection, tick_id: str) -> Mapping[Outcome, int]:
    """How many instants the tick decided, by outcome."""
    rows = connection.execute(_COUNT, {"tick": tick_id})
    return {Outcome(outcome): int(count) for outcome, count in rows}


def list_occurrences(connection: sa.Connection, tick_id: str, limit: int) -> list[OccurrenceLine]:
    """The first rows that the tick wrote."""
    rows = connection.execute(_LIST, {"tick": tick_id, "most": limit})
    return [line_of(row) for row in rows]


def line_of(row: AnyRow) -> OccurrenceLine:
    """A row of LINE."""
    id, schedule_id, scheduled_for, count, outcome, *rest = row
    return OccurrenceLine(id, schedule_id, scheduled_for, count, Outcome(outcome), *rest)


LINE = sa.select(*(_o[field.name] for field in fields(OccurrenceLine)))
"""Occurrences, each with what an OccurrenceLine holds."""
_TICK = sa.bindparam("tick", type_=sa.String)
_LIST = (
    LINE.where(_o.tick_id == _TICK).order_by(_o.id).limit(sa.bindparam("most", type_=sa.Integer))
)
_COUNT = (
    sa.select(_o.outcome, sa.func.sum(_o.count)).where(_o.tick_id == _TICK).group_by(_o.outcome)
)
