"""Each engine fires as the real one did, in each of the rows that were measured."""

import pytest

from tests.cron.dialects.rows import Row, rows, texts
from tick.cron.dialects import NAMES, dialect

ROWS = rows()


def test_there_are_rows_of_each_engine() -> None:
    assert len(ROWS) == 2305
    assert {row.engine for row in ROWS} == set(NAMES)


@pytest.mark.parametrize("engine", NAMES)
def test_every_row_agrees_with_what_the_engine_fired(engine: str) -> None:
    asked = dialect(engine)

    def differs(row: Row) -> bool:
        found = asked.next_times(row.expr, row.zone, row.start, len(row.next))
        return texts(found) != row.next

    of_engine = [row for row in ROWS if row.engine == engine]
    assert of_engine
    assert not [row for row in of_engine if differs(row)]


def test_the_version_that_is_told_was_measured() -> None:
    measured = {(row.engine, row.version) for row in ROWS}
    for name in NAMES:
        version = dialect(name).version
        assert any(e == name and found.startswith(version) for e, found in measured)
