"""Pages of rows: each leads on to the next, and the last one nowhere."""

import pytest

from tick.ops.queries.paging import paged
from tick.ops.schemas import Page, Schema


class Row(Schema):
    """Something with an id."""

    id: int


class Rows(Page[Row]):
    """Some of these."""


@pytest.mark.parametrize(
    ("read", "kept", "key"),
    [([], [], None), ([3], [3], None), ([3, 2], [3, 2], None), ([3, 2, 1], [3, 2], "2")],
)
def test_only_a_surplus_row_says_that_more_follow(
    read: list[int], kept: list[int], key: str | None
) -> None:
    page = paged(Rows, [Row(id=id) for id in read], 2)
    assert ([row.id for row in page.items], page.next) == (kept, key)
