"""`python -m tests.bench.serving URL process|thread once|again`: the worker that is measured."""

import sys
from dataclasses import replace

from tick.define.registry import Registry, load_registry
from tick.runtime import Runtime
from tick.settings import Settings
from tick.stop import Stop
from tick.store.database import Database
from tick.worker.worker import Worker

DEFINITIONS = "tests.bench.no_ops"


def main(url: str, isolation: str, how_often: str) -> None:
    """Serve until told to stop, with two child processes or two threads."""
    settings = Settings(
        database_url=url, definitions=DEFINITIONS, worker_processes=2, worker_threads=2
    )
    runtime = Runtime(settings, Database(url))
    jobs = {
        name: replace(job, isolation=isolation, idempotent=how_often == "again")
        for name, job in load_registry(DEFINITIONS).jobs.items()
    }
    runtime.__dict__["registry"] = Registry(jobs, {})
    stop = Stop()
    stop.on_signals()
    try:
        Worker(runtime).serve(stop)
    finally:
        runtime.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
