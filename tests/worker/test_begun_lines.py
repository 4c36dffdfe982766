"""What a run has begun to print is seen while it goes on, and after its death."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worker.conftest import NOW, WorkWorld
from tests.worker.processes import Process, eventually, has_ended
from tick.worker.worker import Worker


@pytest.mark.parametrize("job", ["draws", "draws-in-a-thread"])
def test_of_a_progress_bar_the_last_state_is_in_the_log(
    work: WorkWorld, make_worker: Callable[..., Worker], job: str
) -> None:
    run_id = work.order(job)
    # Made here: between a fixture and its test pytest changes the standard output.
    make_worker().run_once(NOW)
    said = [text for _, text in work.log(run_id)]
    # On a slow machine some state may have stood for a second.
    assert said[-3:] == ["100% done", "one", "two"]
    assert len(said) < 20


def test_output_flushed_before_a_kill_is_in_the_log(work: WorkWorld, worker: Worker) -> None:
    run_id = work.order("dies-at-work")
    worker.run_once(NOW)
    assert [text for _, text in work.log(run_id)] == ["20%", "loading the model ... "]


@pytest.mark.parametrize("job", ["is-slow", "is-slow-in-a-thread", "is-slow-below"])
def test_an_unfinished_line_is_seen_while_the_run_goes_on(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path, job: str
) -> None:
    serve()
    run_id = work.order(job, note=str(tmp_path / "note"))
    eventually(lambda: work.log(run_id) == [("info", "loading the model ... ")])
    (tmp_path / "note").touch()
    eventually(has_ended(work, run_id))
    assert [text for _, text in work.log(run_id)] == ["loading the model ... ", "done"]
