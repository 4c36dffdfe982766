"""`python -m tests.worker.serving URL`: a worker process of its own, for tests that kill it."""

import logging
import sys

from tests.worker.conftest import DEFINITIONS
from tick.runtime import Runtime
from tick.settings import Settings
from tick.stop import Stop
from tick.store.database import Database
from tick.worker.worker import Worker


def main(url: str, drain_seconds: float, dead_after_seconds: float, poll_seconds: float) -> None:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.INFO)
    settings = Settings(
        database_url=url,
        definitions=DEFINITIONS,
        worker_processes=2,
        worker_poll_seconds=poll_seconds,
        heartbeat_seconds=0.2,
        dead_after_seconds=dead_after_seconds,
        drain_seconds=drain_seconds,
    )
    stop = Stop()
    stop.on_signals()
    runtime = Runtime(settings, Database(url))
    try:
        Worker(runtime).serve(stop)
    finally:
        runtime.close()


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
