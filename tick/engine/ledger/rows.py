"""Rows of the ledger: the one that holds an instant of a schedule, and those that a tick wrote."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.policy.holds import Hold
from tick.policy.missed import NotFired
from tick.states import FIRED_OUTCOMES, HeldBy, Outcome, ReasonKind
from tick.store.sql import AnyRow
from tick.store.tables import occurrence

_o = occurrence.c
LISTED = 200


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
    nominal_for: datetime | None
    count: int
    late_seconds: float | None
    blocked_by_id: int | None
    reason_kind: str | None
    held_by: str | None
    held_until: datetime | None
    triggered_by: str | None
    tick_id: str
    decided_at: datetime

    @property
    def last(self) -> datetime:
        """Its last instant."""
        return self.scheduled_until or self.scheduled_for

    def part(self, first: datetime, last: datetime, count: int) -> NotFired:
        """Some of the instants that it stands for, which did not fire either."""
        return NotFired(
            Outcome(self.outcome),
            first,
            last,
            count,
            self.reason or "",
            None if self.reason_kind is None else ReasonKind(self.reason_kind),
            self.hold,
        )

    @property
    def hold(self) -> Hold | None:
        """What held its instants back, and until when."""
        if self.held_by is None or self.held_until is None:
            return None
        return Hold(HeldBy(self.held_by), self.held_until)

    @property
    def fired(self) -> bool:
        """Whether it has runs."""
        return self.outcome in FIRED_OUTCOMES


def row_of(entry: NotFired) -> dict[str, Any]:
    """The columns of a ledger row that say which instants did not fire, and why."""
    return {
        "outcome": entry.outcome,
        "scheduled_for": entry.first,
        "scheduled_until": entry.last if entry.count > 1 else None,
        "nominal_for": entry.nominal_for,
        "count": entry.count,
        "reason": entry.reason,
        "reason_kind": entry.kind,
        **held_columns(entry.hold),
    }


def held_columns(hold: Hold | None) -> dict[str, Any]:
    """The columns of a ledger row that say what held its instants back, and until when."""
    return {"held_by": hold and hold.by, "held_until": hold and hold.until}


def find_covering(connection: sa.Connection, schedule_id: str, at: datetime) -> InstantRow | None:
    """The row that holds a schedule's instant, if the ledger has it."""
    query = sa.select(*(_o[field.name] for field in fields(InstantRow)))
    row = connection.execute(query.where(_o.id == covering_id(schedule_id, at))).first()
    return None if row is None else InstantRow(**row._mapping)


def covering_id(schedule_id: str, at: datetime) -> sa.ColumnElement[int]:
    """The id of the row that holds a schedule's instant, as SQL; null without one."""
    # No two ranges of a schedule share an instant: so of those that end at the instant or later,
    # only the one that ends first can hold it. One look into an index, however long ago it was.
    its = sa.select(_o.id, _o.scheduled_for).where(_o.schedule_id == schedule_id)
    alone = its.where(_o.scheduled_for == at).with_only_columns(_o.id)
    reaching = its.where(_o.scheduled_until.is_not(None), _o.scheduled_until >= at)
    first = reaching.order_by(_o.scheduled_until).limit(1).subquery("reaching").c
    within = sa.select(first.id).where(first.scheduled_for <= at)
    return sa.func.coalesce(alone.scalar_subquery(), within.scalar_subquery())


@dataclass(frozen=True)
class OccurrenceLine:
    """A ledger row in short; `count` instants from `scheduled_for` on."""

    id: int
    schedule_id: str
    scheduled_for: datetime
    count: int
    outcome: Outcome
    reason: str | None
    late_seconds: float | None
    runs: int
    nominal_for: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        nominal = self.nominal_for and self.nominal_for.isoformat()
        instants = {"scheduled_for": self.scheduled_for.isoformat(), "nominal_for": nominal}
        return asdict(self) | instants


def count_outcomes(connection: sa.Connection, tick_id: str) -> Mapping[Outcome, int]:
    """The number of instants that the tick decided, by outcome."""
    rows = connection.execute(_COUNT, {"tick": tick_id})
    return {Outcome(outcome): int(count) for outcome, count in rows}


def list_occurrences(connection: sa.Connection, tick_id: str, limit: int) -> list[OccurrenceLine]:
    """The first rows that the tick wrote."""
    return list(map(line_of, connection.execute(_LIST, {"tick": tick_id, "most": limit})))


def line_of(row: AnyRow) -> OccurrenceLine:
    """A row of LINE."""
    id, schedule_id, scheduled_for, count, outcome, *rest = row
    return OccurrenceLine(id, schedule_id, scheduled_for, count, Outcome(outcome), *rest)


LINE = sa.select(*(_o[field.name] for field in fields(OccurrenceLine)))
"""Occurrences, each with what an OccurrenceLine holds."""
_TICK = sa.bindparam("tick", type_=sa.String)
_MOST = sa.bindparam("most", type_=sa.Integer)
_LIST = LINE.where(_o.tick_id == _TICK).order_by(_o.id).limit(_MOST)
_COUNTS = sa.select(_o.outcome, sa.func.sum(_o.count)).where(_o.tick_id == _TICK)
_COUNT = _COUNTS.group_by(_o.outcome)
