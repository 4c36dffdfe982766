"""The versions of a schedule's definition, and which of them was in force when."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from tick.engine.ledger.zones import ZONE_COLUMNS, rule_by
from tick.policy.rule import Rule
from tick.store.tables import schedule_version, zone_data

_v = schedule_version.c
PIN = _v.definition["pin"].label("pin")
"""Of a version that repeats an earlier one until the definition changes: the plain `Pin`."""


@dataclass(frozen=True)
class Version:
    """A definition in force from strictly after `since`; `target` is JSON, read when needed."""

    id: int
    number: int
    rule_text: str
    mode: str
    target: str
    since: datetime
    by: str
    zone_name: str | None = None
    zone_digest: str | None = None
    zone_version: str | None = None
    zone_file: bytes | None = field(default=None, repr=False)

    @cached_property
    def rule(self) -> Rule:
        """Read when needed, with the zone data that it decided by.

        Raises ValueError or TypeError if this release can't read it.
        """
        return rule_by(
            self.rule_text, self.zone_name, self.zone_digest, self.zone_version, self.zone_file
        )


def versions_of(connection: sa.Connection, schedule_id: str) -> list[Version]:
    """All versions of a schedule, the oldest first."""
    rows = connection.execute(_VERSIONS_OF, {"schedule": schedule_id})
    return [Version(**row._mapping) for row in rows]


def in_force(versions: Sequence[Version], at: datetime) -> Version:
    """The version that decides the instant; the first one for all before it."""
    begun = [version for version in versions if version.since < at]
    return (begun or versions[:1])[-1]


@dataclass(frozen=True)
class RulePeriod:
    """The time for which one rule decided: (since, until], without end when None."""

    rule: Rule
    since: datetime
    until: datetime | None


def rule_periods(versions: Sequence[Version]) -> list[RulePeriod]:
    """The rules in order; versions that share one (their targets differ) are one period."""
    found: list[RulePeriod] = []
    for version in versions:
        if found and found[-1].rule == version.rule:
            continue
        if found:
            found[-1] = replace(found[-1], until=version.since)
        found.append(RulePeriod(version.rule, version.since, None))
    return found


_VERSIONS_OF = (
    sa.select(
        *(_v.id, _v.number, _v.rule.label("rule_text")),
        *(_v.mode, _v.target, _v.since, _v.by, *ZONE_COLUMNS),
    )
    .outerjoin_from(schedule_version, zone_data, zone_data.c.id == _v.zone_data_id)
    .where(_v.schedule_id == sa.bindparam("schedule"))
    .order_by(_v.number)
)
