"""`python -m tests.bench.serving URL processes|inline`: the worker process that is measured."""

import sys

from tick.db import Database
from tick.engine.inline import InlineExecutor
from tick.runtime import Runtime
from tick.settings import Settings
from tick.worker import Stop, Worker


def main(url: str, isolation: str) -> None:
    """Serve until told to stop, with two child processes or with none."""
    settings = Settings(database_url=url, definitions="tests.bench.no_ops", worker_processes=2)
    runtime = Runtime(settings, Database(url))
    executor = InlineExecutor(runtime.registry, runtime.now) if isolation == "inline" else None
    stop = Stop()
    stop.on_signals()
    try:
        Worker(runtime, executor=executor).serve(stop)
    finally:
        runtime.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
