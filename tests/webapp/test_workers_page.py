"""The processes, their queues and the ticks, as people read and handle them."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_worker
from tests.webapp.visitor import Visitor
from tick.ops.queries.health import read_page_status
from tick.ops.queries.workers import list_living
from tick.store.tables import job_run, worker_instance
from webapp.badges import worker_badge


def _start(world: World, now: datetime, **values: object) -> None:
    usual = {
        "abilities": {"queues": ["media"], "jobs": ["match-scores"]},
        "activity": "running 2 of 4",
    }
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance), a_worker(now, **usual | values))


def test_an_empty_system_says_what_to_start(ada: Visitor) -> None:
    page = ada.page("/workers")
    for words in ("tick worker", "tick loop", "No process yet", "Nothing waits"):
        assert words in page


def test_a_process_says_what_it_is_and_does(world: World, ada: Visitor, now: datetime) -> None:
    _start(world, now)
    page = ada.page("/workers")
    for words in ("worker-1", "job worker", "version 0.1.0", "running 2 of 4", "media", "Alive"):
        assert words in page


@pytest.mark.parametrize(
    ("silent_for", "worker_type", "status", "living", "workers"),
    [
        (90, "job_worker", "RUNNING", 1, 1),
        (90, "job_worker", "DRAINING", 1, 1),
        (91, "job_worker", "RUNNING", 0, 0),
        (0, "job_worker", "STOPPED", 0, 0),
        (0, "schedule_daemon", "RUNNING", 1, 0),
    ],
)
def test_a_worker_counts_while_it_beats(
    world: World, silent_for: int, worker_type: str, status: str, living: int, workers: int
) -> None:
    beat = world.now - timedelta(seconds=silent_for)
    _start(world, beat, worker_type=worker_type, status=status)
    with world.database.read.connect() as connection:
        assert len(list_living(connection, world.now, 90)) == living
        assert read_page_status(connection, world.now, 90).workers == workers


def test_a_worker_is_drained_after_a_question(world: World, ada: Visitor, now: datetime) -> None:
    _start(world, now)
    assert 'action="/workers/c0ffee/drain"' in ada.page("/workers")
    ada.press(ada.page("/workers/c0ffee/drain"), "/workers/c0ffee/drain")
    assert [row.status for row in world.rows(sa.select(worker_instance))] == ["DRAINING"]
    page = ada.page("/workers")
    assert "Draining" in page
    assert 'action="/workers/c0ffee/drain"' not in page


def test_what_cannot_be_drained_says_why(world: World, ada: Visitor, now: datetime) -> None:
    assert ada.get("/workers/nobody/drain").status_code == 404
    _start(world, now, worker_type="schedule_daemon")
    assert 'action="/workers/c0ffee/drain"' not in ada.page("/workers")
    ada.post("/workers/c0ffee/drain")
    assert "runs no jobs" in ada.page("/workers")


def test_a_queue_is_paused_with_a_reason_and_resumed(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    assert "3 queued, 0 running" in ada.page("/workers")
    ada.post("/queues/default/pause", reason="the disk is full")
    page = ada.page("/workers")
    assert "the disk is full (by ada" in page
    ada.press(page, "/queues/default/resume")
    assert "the disk is full" not in ada.page("/workers")


def test_a_pause_without_a_reason_is_refused(ada: Visitor) -> None:
    ada.post("/queues/default/pause", reason="")
    assert "A pause needs a reason" in ada.page("/workers")


def test_the_ticks_say_who_called_and_what_came_of_it(world: World, ada: Visitor) -> None:
    world.enable("hourly")
    world.tick(world.now.replace(minute=0, second=2, microsecond=0) + timedelta(hours=1))
    page = ada.page("/workers")
    ticks = page[page.index("ticks-title") :]
    assert "test" in ticks
    assert "2 s" in ticks
    assert "1 fired" in ticks


@pytest.mark.parametrize(
    ("status", "silent", "word"),
    [
        ("RUNNING", 29, "Alive"),
        ("RUNNING", 31, "Silent"),
        ("DRAINING", 31, "Silent"),
        ("STOPPED", 999, "Stopped"),
        ("DEAD", 999, "Dead"),
        ("ASLEEP", 1, "Unknown"),
    ],
)
def test_a_process_that_missed_two_beats_is_silent(status: str, silent: float, word: str) -> None:
    assert worker_badge(status, silent, 15.0).word == word


def test_a_process_names_what_it_runs(world: World, ada: Visitor, now: datetime) -> None:
    _start(world, now)
    ada.post("/schedules/daily/run")
    at_work = {"status": "RUNNING", "worker_id": "c0ffee", "started_at": now, "attempt": 1}
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == 1).values(**at_work))
    assert '<a href="/runs/1">content-features</a>' in ada.page("/workers")


def test_a_process_with_many_runs_names_some(world: World, ada: Visitor, now: datetime) -> None:
    _start(world, now)
    for number in range(5):
        ada.post("/schedules/daily/run", key=f"press-{number:08d}")
        world.finish_runs()
    at_work = {"status": "RUNNING", "worker_id": "c0ffee", "started_at": now, "attempt": 1}
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).values(**at_work))
    assert "and 7 more" in ada.page("/workers")


def test_a_dry_run_says_what_a_tick_would_do_and_leaves_nothing(
    world: World, ada: Visitor, now: datetime
) -> None:
    assert "No schedule is on" in ada.page("/scheduler/dry-run")
    world.now = now - timedelta(hours=2)
    world.enable("hourly")
    before = world.ledger("hourly")
    page = ada.page("/scheduler/dry-run")
    assert "Hourly Matching" in page
    assert "Missed" in page or "Fire" in page
    assert world.ledger("hourly") == before
    world.tick(now)
    assert "Next is" in ada.page("/scheduler/dry-run")
