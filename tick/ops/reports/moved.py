"""Finds where an instant that a calendar moved was decided, or will be."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

import sqlalchemy as sa

from tick.engine.ledger.versions import Version
from tick.ops.queries.descriptions import describe_timing
from tick.policy import moves
from tick.store.tables import occurrence

_o = occurrence.c
# From one end of the longest move to the other, whichever way it went.
_AROUND = timedelta(days=moves.LONGEST_MOVE_DAYS + 1)


def moved_to(
    connection: sa.Connection, schedule_id: str, versions: Sequence[Version], instant: datetime
) -> datetime | None:
    """Return where a nominal instant is decided; None where it is not moved."""
    if not any('"calendar":' in version.rule_text for version in versions):
        return None
    rows = sa.select(_o.scheduled_for).where(
        _o.schedule_id == schedule_id,
        _o.scheduled_for.between(instant - _AROUND, instant + _AROUND),
        _o.nominal_for == instant,
    )
    found = connection.execute(rows.order_by(_o.scheduled_for.desc()).limit(1)).scalar()
    return _by_rule(versions, instant) if found is None else found


def _by_rule(versions: Sequence[Version], instant: datetime) -> datetime | None:
    ends = (version.since for version in versions[1:])
    for number, (version, until) in enumerate(zip_longest(versions, ends)):
        if describe_timing(version.rule_text).mistake or not version.rule.is_moved:
            continue
        place = moves.place_of(version.rule, instant)
        if place is None or place.at == instant:
            continue
        # The first version stands for the time before it as well.
        begun = number == 0 or version.since < place.at
        if begun and (until is None or place.at <= until):
            return place.at
    return None
