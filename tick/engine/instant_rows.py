"""The ledger row that holds an instant of a schedule, alone or within a range."""

from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa

from tick.models import occurrence
from tick.states import FIRED_OUTCOMES

_o = occurrence.c


@dataclass(frozen=True)
class InstantRow:
    """A row for what is due by time: `count` instants from `scheduled_for` on."""

    id: int
    version_id: int
    kind: str
    outcome: str
    reason: str | None
    scheduled_for: datetime
    scheduled_until: datetime | None
    count: int
    late_seconds: float | None
    blocked_by_id: int | None
    triggered_by: str | None
    tick_id: str
    decided_at: datetime

    @property
    def last(self) -> datetime:
        """Its last instant."""
        return self.scheduled_until or self.scheduled_for

    @property
    def fired(self) -> bool:
        """Whether it has runs."""
        return self.outcome in FIRED_OUTCOMES


def find_covering(connection: sa.Connection, schedule_id: str, at: datetime) -> InstantRow | None:
    """The row that holds a schedule's instant, if the ledger has it."""
    row = connection.execute(
        sa.select(*(_o[field.name] for field in fields(InstantRow)))
        .where(_o.schedule_id == schedule_id, _o.scheduled_for <= at)
        .where(sa.func.coalesce(_o.scheduled_until, _o.scheduled_for) >= at)
        .limit(1)
    ).first()
    return None if row is None else InstantRow(**row._mapping)
