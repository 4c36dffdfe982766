"""The deadline of a firing, and the timeout of its schedule, in both kinds of executors."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.factories import TESTER, a_schedule
from tests.worker.conftest import NOW, WorkWorld
from tick.engine.ledger.audit import Act
from tick.ops.actions import run_now
from tick.worker.worker import Worker

SLOW = ("is-slow", "is-slow-in-a-thread")


def asked_for(work: WorkWorld, job: str, note: Path, **limits: float) -> None:
    """A firing of a job that goes on until there is a note, which nobody writes."""
    work.define(a_schedule("slow", job=job, params={"note": str(note)}, **limits))
    run_now.run_schedule(work.database, Act(work.now, TESTER), "slow")


@pytest.mark.parametrize("job", SLOW)
def test_what_runs_when_its_firing_has_to_end_is_stopped_and_not_tried_again(
    work: WorkWorld, make_worker: Callable[..., Worker], tmp_path: Path, job: str
) -> None:
    asked_for(work, job, tmp_path / "note", deadline=1, retries=3)
    make_worker().run_once(NOW)
    (run,) = work.runs()
    assert (run.status, run.attempt, run.error_type) == ("FAILED", 1, "DeadlineExceeded")
    assert run.error_message.endswith("(its firing had to have ended by 2026-03-01 02:00:01 UTC)")
    (row,) = work.occurrences()
    assert (row.outcome, row.reason_kind) == ("FAILED", "DEADLINE")
    assert row.reason is None  # that of whoever asked for it
    (tmp_path / "note").touch()  # lets the thread end


@pytest.mark.parametrize("job", SLOW)
def test_the_timeout_of_its_schedule_takes_the_place_of_its_jobs(
    work: WorkWorld, make_worker: Callable[..., Worker], tmp_path: Path, job: str
) -> None:
    asked_for(work, job, tmp_path / "note", timeout=0.3)
    make_worker().run_once(NOW)
    (run,) = work.runs()
    assert (run.status, run.error_type) == ("FAILED", "TimedOut")
    assert run.error_message.startswith("timed out after 0.3 s")
    (row,) = work.occurrences()
    assert (row.outcome, row.reason_kind, row.reason) == ("FAILED", None, None)
    (tmp_path / "note").touch()
