"""Pages of rows: each leads on to the next, and the last one nowhere."""

from dataclasses import dataclass

import pytest

from tick.ops.queries.paging import Page, cut


@dataclass(frozen=True)
class Row:
    id: int


@pytest.mark.parametrize(
    ("read", "kept", "older"),
    [([], [], None), ([3], [3], None), ([3, 2], [3, 2], None), ([3, 2, 1], [3, 2], 2)],
)
def test_only_a_surplus_row_says_that_more_follow(
    read: list[int], kept: list[int], older: int | None
) -> None:
    assert cut([Row(id) for id in read], 2) == Page(tuple(Row(id) for id in kept), older)
