"""Works backfills off in the rest of a tick's budget, each portion in a transaction of its own."""

import logging
from functools import partial

from tick.engine.schedules.backfills import advance, running_ids
from tick.store.database import short_error
from tick.ticks.firing_loop import FiringLoop

log = logging.getLogger(__name__)


def advance_backfills(loop: FiringLoop) -> None:
    """Queue the next instants of each backfill; what the storm brake holds waits for a later tick.

    One that fails stops no other, and is told in the result.
    """
    limit = loop.runtime.settings.max_runs_per_tick
    with loop.runtime.database.read.connect() as connection:
        ids = running_ids(connection)
    for number in ids:
        if not loop.in_time():
            return
        step = partial(
            advance, backfill_id=number, now=loop.now, most_runs=limit - loop.result.runs
        )
        try:
            loop.result.runs += loop.in_transaction(step).runs
        except Exception as error:
            log.error("backfill %s could not be worked off: %s", number, short_error(error))
            loop.result.errors[f"(backfill {number})"] = short_error(error)
