"""The end of a worker: nothing that it holds is lost, even if the database is away for a moment."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from tick.executors.executor import EndReport
from tick.store.database import TRANSIENT, short_error
from tick.worker.executor_group import ExecutorGroup
from tick.worker.membership import Membership
from tick.worker.result_writer import ResultWriter

log = logging.getLogger(__name__)

GIVE_UP_SECONDS = 5.0
"""How long it goes on trying to reach a database that is away."""
_RETRY_SECONDS = 0.5


def shut_down(
    executors: ExecutorGroup,
    results: ResultWriter,
    membership: Membership,
    now: Callable[[], datetime],
) -> None:
    """Kill what still runs, give it back without burning its attempt, and stop the membership."""
    unfinished = executors.take_back(0)
    results.add(executors.poll(0))
    unfinished += executors.running
    last = executors.close()
    results.add(last)
    ended = {report.run.claim for report in last if isinstance(report, EndReport)}
    given_back = (run for run in unfinished if run.claim not in ended)
    results.release(given_back, "its worker stopped")
    until = time.monotonic() + GIVE_UP_SECONDS
    while membership.worker_id is not None:
        try:
            instant = now()
            results.save(instant)
            membership.stop(instant)
        except TRANSIENT as error:
            log.warning("the database is away while stopping: %s", short_error(error))
            if time.monotonic() >= until:
                return
            time.sleep(_RETRY_SECONDS)
