"""Requests that arrive together."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from tests.support.factories import World
from tests.webapp.api.client import Program
from tests.webapp.conftest import JOBS

AT_ONCE = 6


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
