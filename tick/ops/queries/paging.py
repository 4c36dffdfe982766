"""Keyset pages: newest first, continued below the last id seen. No counts, no offsets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa

from tick.ops.schemas import Page as SchemaPage

PAGE_ROWS = 50


class Numbered(Protocol):
    """Anything with a rising id."""

    @property
    def id(self) -> int:
        """Its id."""


Row = TypeVar("Row", bound=Numbered)


def sorted_ids(ids: sa.Column[int]) -> sa.ColumnElement[int]:
    """The ids, to order and to bound a list by that an index of few rows gives in another order.

    By the bare ids, SQLite would rather walk through the whole table than sort those few.
    """
    return ids + sa.literal_column("0")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page; `older` continues it as `before=`, None at the end."""

    rows: tuple[Row, ...]
    older: int | None = None


def cut(rows: Sequence[Row], size: int = PAGE_ROWS) -> Page[Row]:
    """A page of at most `size` rows out of `size + 1` read: a surplus row says that more follow."""
    kept = tuple(rows[:size])
    return Page(kept, kept[-1].id if len(rows) > size else None)


AnyPage = TypeVar("AnyPage", bound=SchemaPage[Any])


def paged(page: type[AnyPage], items: Sequence[Any], size: int = PAGE_ROWS) -> AnyPage:
    """A page of the first `size` of `size + 1` items read: a surplus one says that more follow."""
    kept = tuple(items[:size])
    return page(items=kept, next=str(kept[-1].id) if len(items) > size else None)
