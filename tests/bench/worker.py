"""No-op runs through one worker process, beside other job systems in the same rounds."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module

import sqlalchemy as sa

from tests.bench.fleet import Fleet, launch
from tests.bench.measure import Measurement, Options
from tests.bench.places import Place
from tests.bench.sides import Side, race
from tests.support.postgres import PostgresServer
from tick.models import job_run
from tick.states import ENDED_RUNS

ROWS = 10_000
ROUNDS = 3
ISOLATIONS = {"processes": "process", "threads": "thread"}
PEERS = {
    "sqlite": ("celery_prefork",),
    "postgresql": ("celery_prefork", "procrastinate", "pgqueuer"),
}
GOALS = {("processes", "celery_prefork"): 1 / 4}
"""Ours to theirs: killable processes on both sides."""


class Ours(Side):
    """Occurrences of one run each; status, attempt, times and outcome are kept."""

    name = "ours"

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._database = fleet.place.database
        self.address = self._database.url.render_as_string(hide_password=False)

    def enqueue(self, jobs: int) -> None:
        """Have one tick fire all of them."""
        self._fleet.ready()
        self._fleet.tick()
        if self._fleet.place.dialect == "postgresql":
            # What autovacuum does within a minute; plans made for an empty table are others.
            with self._database.write.begin() as connection:
                connection.exec_driver_sql("ANALYZE job_run, occurrence")

    def ended(self) -> int:
        """How many runs have ended."""
        with self._database.read.connect() as connection:
            return int(connection.execute(_ENDED).scalar_one())

    def close(self) -> None:
        """The place closes the database."""


def measure(place: Place, options: Options) -> Iterator[Measurement]:
    """One measurement per way of ours and peer."""
    rows = options.rows or ROWS
    with ExitStack() as stack:
        ours = Ours(launch(place, rows, 1, idempotent=True))
        peers = {name: peer for name in PEERS[place.dialect] if (peer := _open(stack, name, place))}
        took: dict[str, list[float]] = {name: [] for name in (*ISOLATIONS, *peers)}
        for _ in range(min(ROUNDS, options.repeats)):
            for name, isolation in ISOLATIONS.items():
                command = ["tests.bench.serving", ours.address, isolation]
                took[name].append(race(ours, command, rows))
            for name, peer in peers.items():
                command = ["tests.bench.peers", name, peer.address]
                took[name].append(race(peer, command, rows))
    for isolation in ISOLATIONS:
        for name, peer in peers.items():
            yield Measurement(
                name=f"worker, {isolation}, beside {peer.name}",
                database=place.dialect,
                rows=rows,
                ours=took[isolation],
                raw=took[name],
                goal_ratio=GOALS.get((isolation, name)),
            )


def _open(stack: ExitStack, name: str, place: Place) -> Side | None:
    """The peer, ready for jobs; None, and a line that says why, where it cannot be had."""
    try:
        peer: Side = import_module(f"tests.bench.peers.{name}").Peer(_database_for(name, place))
    except Exception as error:  # whatever a peer's start may raise
        print(f"{place.dialect}: {name} not measured: {error}", file=sys.stderr)
        return None
    stack.callback(peer.close)
    return peer


def _database_for(name: str, place: Place) -> str:
    """A fresh database beside the place's own; the place's where that is a file."""
    own = place.database.url
    if place.dialect == "sqlite":
        return str(own)
    server = PostgresServer(own.render_as_string(hide_password=False))
    made = sa.make_url(server.create_database(f"bench_{name}"))
    return made.set(drivername="postgresql").render_as_string(hide_password=False)


_ENDED = sa.select(sa.func.count()).where(job_run.c.status.in_(ENDED_RUNS))
