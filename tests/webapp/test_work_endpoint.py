"""POST /internal/work: a host with a console and a minute trigger runs everything."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NoReturn

import pytest
from flask.testing import FlaskClient

from tests.webapp.scenes import SETTINGS
from tests.webapp.test_tick_endpoint import SECRET
from tests.worker.conftest import DEFINITIONS, WorkWorld
from tick.define.registry import load_registry
from tick.runtime import Runtime
from tick.store.database import Database
from webapp import create_app
from webapp.machines import work as work_endpoint


@pytest.fixture
def work(database: Database) -> WorkWorld:
    """A world whose jobs run for real."""
    registry = load_registry(DEFINITIONS)
    settings = {"definitions": DEFINITIONS, "worker_processes": 2, "worker_poll_seconds": 0.05}
    return WorkWorld(
        database,
        now=datetime(2026, 3, 1, 2, 0, tzinfo=UTC),
        settings=SETTINGS.model_copy(update=settings),
        jobs=tuple(registry.jobs.values()),
        schedules=(),
    )


@pytest.fixture
def client(work: WorkWorld) -> Iterator[FlaskClient]:
    """Nobody in particular."""
    with create_app(Runtime(work.settings, work.database)).test_client() as client:
        yield client


def test_it_ticks_then_runs_what_is_ready(work: WorkWorld, client: FlaskClient) -> None:
    process, thread = work.order("add"), work.order("where-in-a-thread")
    answer = client.post("/internal/work", headers=SECRET)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    assert answer.json is not None
    assert answer.json["tick_id"]
    assert answer.json["worked"]["statuses"] == {"SUCCESS": 2}
    assert answer.json["worked"]["more"] is False
    assert {work.run(run_id).status for run_id in (process, thread)} == {"SUCCESS"}


def test_it_stops_when_its_time_is_over(work: WorkWorld, client: FlaskClient) -> None:
    run_id = work.order("waits")
    answer = client.get("/internal/work/?max_ms=5000", headers=SECRET)
    assert answer.json is not None
    assert answer.json["worked"]["more"] is True
    assert answer.json["worked"]["took_seconds"] < 6
    assert (work.run(run_id).status, work.run(run_id).attempt) == ("QUEUED", 0)


def test_only_one_request_at_a_time_works(work: WorkWorld, client: FlaskClient) -> None:
    run_id = work.order("add")
    with work_endpoint._at_work:
        answer = client.post("/internal/work", headers=SECRET)
    assert answer.json is not None
    assert answer.json["worked"] is None
    assert work.run(run_id).status == "QUEUED"


def test_the_next_request_works_whatever_became_of_one(
    work: WorkWorld, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    def fails(_runtime: Runtime, seconds: float) -> NoReturn:
        given.append(seconds)
        raise RuntimeError("no process can be started")

    monkeypatch.setattr(work_endpoint, "work_for", fails)
    assert client.post("/internal/work", headers=SECRET).status_code == 500
    assert client.post("/internal/work", headers=SECRET).status_code == 500
    assert len(given) == 2
    assert max(given) < work.settings.http_work_seconds  # the tick has had some of it


def test_it_asks_for_the_secret_as_the_tick_does(client: FlaskClient) -> None:
    assert client.post("/internal/work").status_code == 401
    assert client.delete("/internal/work", headers=SECRET).status_code == 405
