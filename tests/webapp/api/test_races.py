"""Requests that arrive together."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.support.factories import World
from tests.webapp.api.client import Program
from tests.webapp.conftest import JOBS
from tick.store.tables import audit_entry, maintenance_window

AT_ONCE = 6
ROUNDS = 5
REASON = {"reason": "year end"}


def test_one_key_sent_by_many_at_once_fires_once(app: Flask, world: World, admin: Program) -> None:
    def fire(_: int) -> int:
        sender = Program(app)
        sender.headers = {**admin.headers, "Idempotency-Key": "release-42"}
        found: int = sender.post("/schedules/daily/trigger")["occurrence_id"]
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        occurrences = set(pool.map(fire, range(AT_ONCE)))
    assert len(occurrences) == 1
    assert len(world.runs()) == len(JOBS)


def test_one_key_sent_by_many_at_once_is_one_deed_in_the_audit(
    app: Flask, world: World, admin: Program
) -> None:
    together = Barrier(AT_ONCE)

    def fire(_: int) -> int:
        sender = Program(app)
        sender.headers = {**admin.headers, "Idempotency-Key": "release-42"}
        together.wait(timeout=30)
        found: int = sender.post("/jobs/run", {})["occurrence_id"]
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        occurrences = set(pool.map(fire, range(AT_ONCE)))
    assert len(occurrences) == 1
    is_deed = audit_entry.c.action == "jobs.run"
    assert len(world.rows(sa.select(audit_entry.c.id).where(is_deed))) == 1


def statuses(
    app: Flask, admin: Program, path: str, json: object = REASON, **headers: str
) -> Counter[int]:
    """What comes of one request, sent by AT_ONCE programs at the same moment."""
    together = Barrier(AT_ONCE)

    def send(_: int) -> int:
        sender = Program(app)
        sender.headers = admin.headers | headers
        together.wait(timeout=30)
        return sender.ask("POST", path, json).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(send, range(AT_ONCE)))


@pytest.mark.parametrize("conditional", [True, False])
def test_of_many_who_stop_the_scheduler_at_once_one_does(
    app: Flask, world: World, admin: Program, conditional: bool
) -> None:
    is_open = maintenance_window.c.ends_at.is_(None)
    for _ in range(ROUNDS):
        read = admin.get("/scheduler/status")["revision"]
        headers = {"If-Match": f'"{read}"'} if conditional else {}
        found = statuses(app, admin, "/scheduler/stop", **headers)
        assert found == ({200: 1, 412: AT_ONCE - 1} if conditional else {200: AT_ONCE})
        assert len(world.rows(sa.select(maintenance_window.c.id).where(is_open))) == 1
        admin.post("/scheduler/start")


def test_of_many_who_pause_a_queue_as_they_read_it_one_does(app: Flask, admin: Program) -> None:
    admin.post("/jobs/run", {})
    for _ in range(ROUNDS):
        (queue,) = admin.get("/queues")["items"]
        path, tag = f"/queues/{queue['name']}", f'"{queue["revision"]}"'
        found = statuses(app, admin, f"{path}/pause", **{"If-Match": tag})
        assert found == {200: 1, 412: AT_ONCE - 1}
        admin.post(f"{path}/resume")


def test_of_many_who_pause_a_schedule_as_they_read_it_one_does(app: Flask, admin: Program) -> None:
    for _ in range(ROUNDS):
        tag = admin.ask("GET", "/schedules/daily").headers["ETag"]
        found = statuses(app, admin, "/schedules/daily/pause", **{"If-Match": tag})
        assert found == {200: 1, 412: AT_ONCE - 1}
        admin.post("/schedules/daily/resume")


def test_of_many_who_end_a_window_as_they_read_it_one_does(app: Flask, admin: Program) -> None:
    for year in range(2100, 2100 + ROUNDS):
        ask = {"starts_at": f"{year}-01-01T00:00:00Z", "ends_at": f"{year}-01-02T00:00:00Z"}
        assert admin.ask("POST", "/windows", ask | REASON).status_code == 201
        window = admin.get("/windows")["items"][0]
        tag = f'"{window["revision"]}"'
        found = statuses(app, admin, f"/windows/{window['id']}/end", {}, **{"If-Match": tag})
        assert found == {200: 1, 412: AT_ONCE - 1}
