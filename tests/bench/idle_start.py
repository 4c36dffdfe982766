"""From asking for a run to the first line of its job, while the worker is idle.

Ours is the product as it is installed: `tick worker`, and `run_job` as the console calls it.
"""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import quantiles

import sqlalchemy as sa

from tests.bench.measure import Measurement, Options
from tests.bench.places import Place
from tests.bench.starts import CHANNEL, TABLE
from tests.support.factories import TESTER
from tick.define.registry import load_registry
from tick.engine.ledger.audit import Act
from tick.ops.actions import run_now

STARTS = 200
DEFINITIONS = "tests.bench.starts"
JOBS = ("in-a-process", "in-a-thread")
PAUSE_SECONDS = (0.05, 0.15)
WITHIN_SECONDS = 60.0
GOAL_RATIO = {"postgresql": 1.3}
GOAL_SECONDS = {"sqlite": 0.01}
INSERT = "INSERT INTO bare_start VALUES (:id, 'QUEUED', :asked, :address)"
INSERT_AND_TELL = f"WITH new AS ({INSERT}) SELECT pg_notify('{CHANNEL}', '')"
Ask = Callable[[float, str], object]


def measure(place: Place, options: Options) -> Iterator[Measurement]:
    """The median and the 99th percentile, for a job in a child process and for one in a thread."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        ear = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        ear.settimeout(WITHIN_SECONDS)
        ear.bind(str(Path(folder) / "ear"))
        bare = _bare(place)
        for command in (["tick.cli", "worker"], [DEFINITIONS, _address(place)]):
            stack.enter_context(_running(command, place))
        for name in JOBS:
            ours, raw = _alternate(ear, partial(_order, place, name), bare, options.rows or STARTS)
            goals = (GOAL_RATIO.get(place.dialect), GOAL_SECONDS.get(place.dialect))
            yield Measurement(f"idle start {name}", place.dialect, 1, ours, raw, *goals)
            last = [quantiles(side, n=100)[-1] for side in (ours, raw)]
            yield Measurement(f"idle start {name}, p99", place.dialect, 1, last[:1], last[1:])


def _alternate(
    ear: socket.socket, ours: Ask, raw: Ask, times: int
) -> tuple[list[float], list[float]]:
    """Seconds of each side, in turn; a first round waits for both to be there."""
    address = ear.getsockname()
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(times + 1):
        for seconds, ask in zip(took, (ours, raw), strict=True):
            ask(time.monotonic(), address)
            heard = float(ear.recv(100))
            if turn:
                seconds.append(heard)
            time.sleep(random.uniform(*PAUSE_SECONDS))
    return took


def _order(place: Place, job: str, asked: float, address: str) -> None:
    run_now.run_job(
        place.database,
        Act(datetime.now(UTC), TESTER),
        job,
        load_registry(DEFINITIONS),
        params={"asked": asked, "address": address},
    )


def _bare(place: Place) -> Ask:
    """Asks the loop by hand: one statement and one commit."""
    place.run([sa.text("DROP TABLE IF EXISTS bare_start"), sa.text(TABLE)], {})
    insert = sa.text(INSERT_AND_TELL if place.dialect == "postgresql" else INSERT)
    numbers = count()

    def ask(asked: float, address: str) -> None:
        place.run([insert], {"id": next(numbers), "asked": asked, "address": address})

    return ask


def _address(place: Place) -> str:
    return place.database.url.render_as_string(hide_password=False)


@contextmanager
def _running(command: list[str], place: Place) -> Iterator[None]:
    """A process that is ended afterwards."""
    environment = {"TICK_DATABASE_URL": _address(place), "TICK_DEFINITIONS": DEFINITIONS}
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env=os.environ | environment, stdout=sys.stderr
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(WITHIN_SECONDS)
