"""Bringing schedules back after a clock was ahead: they go on from now, and nothing fires twice."""

from datetime import datetime

from pydantic import Field

from tick.engine.ledger import audit
from tick.engine.ledger.audit import Author
from tick.engine.schedules.lifecycle import find_schedule
from tick.engine.schedules.rewind import AT_ONCE, forget_the_future, rewind
from tick.errors import Refused
from tick.ops.queries.revisions import check_revision
from tick.ops.schemas import Schema
from tick.store.database import Database


class BroughtBack(Schema):
    """What was brought back after a clock had been ahead."""

    schedules: tuple[str, ...] = Field(description="those that fire at their instants again")
    ticks: int = Field(description="ticks from the future that left the log")


def resume_from_now(
    database: Database,
    schedule_id: str,
    *,
    now: datetime,
    author: Author,
    expected: str | None = None,
) -> None:
    """Let a schedule whose cursor lies in the future fire at its first instant after now.

    Raises NotFound; Refused when the cursor does not lie in the future; Stale.
    """
    with database.write.begin() as connection:
        check_revision(connection, schedule_id, expected)
        find_schedule(connection, schedule_id)
        if not rewind(connection, now, author, schedule_id):
            raise Refused(
                f"{schedule_id} is not ahead: it fires at its instants after now already. "
                "`tick status` says whether another one is."
            )


def resume_all_from_now(database: Database, *, now: datetime, author: Author) -> BroughtBack:
    """Let each schedule whose cursor lies in the future fire at its first instant after now.

    Some at a time, each with its audit entry. Ticks from the future leave the log, so that the
    scheduler is healthy again.
    """
    found: list[str] = []
    while True:
        with database.write.begin() as connection:
            some = rewind(connection, now, author)
        found += some
        if len(some) < AT_ONCE:
            break
    with database.write.begin() as connection:
        ticks = forget_the_future(connection, now)
        if ticks:
            audit.record(
                connection,
                at=now,
                author=author,
                action="scheduler.forget_future_ticks",
                subject="scheduler",
                after={"ticks": ticks},
                reason="a clock was ahead",
            )
    return BroughtBack(schedules=tuple(found), ticks=ticks)
