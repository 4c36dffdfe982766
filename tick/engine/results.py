"""What a tick wrote, read back by its id."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.models import occurrence
from tick.states import Outcome

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
    rows = connection.execute(
        sa.select(_o.outcome, sa.func.sum(_o.count))
        .where(_o.tick_id == tick_id)
        .group_by(_o.outcome)
    )
    return {Outcome(outcome): int(count) for outcome, count in rows}


def list_occurrences(connection: sa.Connection, tick_id: str, limit: int) -> list[OccurrenceLine]:
    """The first rows that the tick wrote."""
    rows = connection.execute(
        sa.select(
            _o.id,
            _o.schedule_id,
            _o.scheduled_for,
            _o.count,
            _o.outcome,
            _o.reason,
            _o.late_seconds,
            _o.runs,
        )
        .where(_o.tick_id == tick_id)
        .order_by(_o.id)
        .limit(limit)
    )
    return [
        OccurrenceLine(**dict(row._mapping) | {"outcome": Outcome(row.outcome)}) for row in rows
    ]
