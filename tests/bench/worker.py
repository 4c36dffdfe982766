"""No-op runs through one worker process, or two, beside other job systems in the same rounds."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module

import sqlalchemy as sa

from tests.bench.fleet import launch
from tests.bench.measure import Options, Throughput
from tests.bench.places import Place
from tests.bench.sides import Pace, Side, race
from tests.support.postgres import PostgresServer
from tick.states import ENDED_RUNS
from tick.store.tables import job_run

ROWS = 10_000
ROUNDS = 3
PEERS = {
    "sqlite": ("celery_prefork",),
    "postgresql": ("celery_prefork", "procrastinate", "pgqueuer"),
}


@dataclass(frozen=True)
class Way:
    """How our workers execute the no-ops."""

    isolation: str
    idempotent: bool
    workers: int = 1

    @property
    def name(self) -> str:
        """For people."""
        repeatable = "idempotent" if self.idempotent else "not idempotent"
        of_workers = "" if self.workers == 1 else f", {self.workers} workers"
        return f"ours, {self.isolation}, {repeatable}{of_workers}"


WAYS = [
    *(Way(isolation, repeat) for isolation in ("process", "thread") for repeat in (True, False)),
    Way("process", True, workers=2),
]
FEWER = 4
"""What is not idempotent is claimed run by run: a share of the jobs tells its pace."""


class Ours(Side):
    """Occurrences of one run each; status, attempt, times and outcome are kept."""

    name = "ours"

    def __init__(self, place: Place, rows: int, *, idempotent: bool) -> None:
        self._fleet = fleet = launch(place, rows, 1, idempotent=idempotent)
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


def measure(place: Place, options: Options) -> Iterator[Throughput]:
    """One throughput per way of ours, with the peers' of the same rounds beside it."""
    rows = options.rows or ROWS
    with ExitStack() as stack:
        peers = {name: peer for name in PEERS[place.dialect] if (peer := _open(stack, name, place))}
        paces: dict[str, list[Pace]] = {}
        for _ in range(min(ROUNDS, options.repeats)):
            for way in WAYS:
                paces.setdefault(way.name, []).append(_race_ours(place, way, rows))
            for name, peer in peers.items():
                command = ["tests.bench.peers", name, peer.address]
                paces.setdefault(peer.name, []).append(race(peer, command, rows))
    beside = {peer.name: paces[peer.name] for peer in peers.values()}
    for name, own in paces.items():
        yield Throughput(name, place.dialect, own, beside)


def _race_ours(place: Place, way: Way, rows: int) -> Pace:
    jobs = rows if way.idempotent else rows // FEWER
    ours = Ours(place, jobs, idempotent=way.idempotent)
    how_often = "again" if way.idempotent else "once"
    command = ["tests.bench.serving", ours.address, way.isolation, how_often]
    return race(ours, command, jobs, way.workers)


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
