"""Backfills as rows, and which occurrences are theirs."""

import sqlalchemy as sa

from tick.states import (
    LIVE_OUTCOMES,
    UNFINISHED_BACKFILLS,
    BackfillOverlap,
    BackfillState,
)
from tick.store.sql import literal_state
from tick.store.tables import backfill, occurrence

_b, _o = backfill.c, occurrence.c
_PREFIX, _BESIDE = "backfill-", "-beside"
IS_RUNNING = literal_state(_b.state, BackfillState.RUNNING)
IS_UNFINISHED = literal_state(_b.state, *UNFINISHED_BACKFILLS)
IS_ANY_RUNNING = sa.exists().select_from(backfill).where(IS_RUNNING)


def tick_id_of(backfill_id: int, overlap: str) -> str:
    """The tick_id of a backfill's occurrences; of those that run beside own firings it says so."""
    return f"{_PREFIX}{backfill_id}{_BESIDE if overlap == BackfillOverlap.ALLOW else ''}"


def in_the_way() -> list[sa.ColumnElement[bool]]:
    """The conditions of an occurrence that others of its schedule meet by its overlap policy."""
    beside = _o.tick_id.like(f"{_PREFIX}%{_BESIDE}")
    return [literal_state(_o.outcome, *LIVE_OUTCOMES), sa.not_(beside)]


def is_of_backfill(tick_id: str) -> bool:
    """Whether an occurrence is a backfill's, which alone says how many of these run at once."""
    return tick_id.startswith(_PREFIX)
