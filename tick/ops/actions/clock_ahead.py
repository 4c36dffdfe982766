"""Brings schedules back after a clock was ahead: they go on from now, and nothing fires twice."""

from pydantic import Field

from tick.engine.schedules.lifecycle import find_schedule
from tick.engine.schedules.rewind import AT_ONCE, forget_the_future, rewind
from tick.errors import Refused
from tick.ops.act import Act, Change, action
from tick.ops.queries.revisions import check_revision
from tick.ops.schemas import Schema
from tick.store.database import Database


class BroughtBack(Schema):
    """What was brought back after a clock had been ahead."""

    schedules: tuple[str, ...] = Field(description="those that fire at their instants again")
    ticks: int = Field(description="ticks from the future that left the log")


@action("schedule.resume_from_now", check=check_revision)
def resume_from_now(change: Change, schedule_id: str) -> None:
    """Let a schedule whose cursor lies in the future fire at its first instant after now.

    Raises NotFound; Refused when the cursor does not lie in the future; Stale.
    """
    find_schedule(change.connection, schedule_id)
    if not rewind(change.connection, change.act, schedule_id):
        raise Refused(
            f"{schedule_id} is not ahead: it fires at its instants after now already. "
            "`tick status` says whether another one is."
        )


def resume_all_from_now(database: Database, act: Act) -> BroughtBack:
    """Let each schedule whose cursor lies in the future fire at its first instant after now."""
    # Some at a time, so that ticks need not wait for all of them.
    found: list[str] = []
    while True:
        with database.write.begin() as connection:
            some = rewind(connection, act)
        found += some
        if len(some) < AT_ONCE:
            break
    # Ticks from the future would go on saying that a clock is ahead.
    return BroughtBack(schedules=tuple(found), ticks=_forget_future_ticks(database, act))


@action("scheduler.forget_future_ticks", subject="scheduler")
def _forget_future_ticks(change: Change) -> int:
    ticks = forget_the_future(change.connection, change.now)
    if ticks:
        change.record(after={"ticks": ticks}, reason="a clock was ahead")
    return ticks
