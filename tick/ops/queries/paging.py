"""Keyset pages: each goes on behind the last id seen. No counts, no offsets."""

from collections.abc import Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from tick.ops.schemas import Page

PAGE_ROWS = 50
AnyPage = TypeVar("AnyPage", bound=Page[Any])


def sorted_ids(ids: sa.Column[int]) -> sa.ColumnElement[int]:
    """The ids, to order and to bound a list by that an index of few rows gives in another order.

    By the bare ids, SQLite would rather walk through the whole table than sort those few.
    """
    return ids + sa.literal_column("0")


def paged(page: type[AnyPage], items: Sequence[Any], size: int = PAGE_ROWS) -> AnyPage:
    """A page of the first `size` of `size + 1` items read: a surplus one says that more follow."""
    kept = tuple(items[:size])
    return page(items=kept, next=str(kept[-1].id) if len(items) > size else None)
