"""A proof of a long time, as whoever pages through it reads it."""

from collections.abc import Iterator
from datetime import datetime

from tick.ops.reports.verify import Proof
from tick.ops.reports.verify_parts import prove_part
from tick.store.database import Database


def prove(database: Database, start: datetime, end: datetime) -> Iterator[Proof]:
    """The proofs of all parts of (start, end], one after another."""
    onward: datetime | None = start
    while onward is not None:
        part, onward = prove_part(database, onward, end)
        yield part
