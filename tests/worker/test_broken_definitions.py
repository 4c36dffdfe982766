"""One module that can't be imported keeps neither the other jobs nor the worker from their work."""

import sys
from pathlib import Path

import pytest

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.define.registry import load_jobs
from tick.engine.ledger.audit import Act
from tick.errors import DefinitionsInvalid
from tick.ops.actions import run_now
from tick.runtime import Runtime
from tick.settings import Settings
from tick.worker.worker import Worker

GOOD = """
from tick import job

@job(group="good")
def sound() -> int:
    return 7
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Definitions of which one module asks for a library that is not there."""
    folder = tmp_path / "half_broken_jobs"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "good.py").write_text(GOOD)
    (folder / "torn.py").write_text("import a_library_that_is_not_there\n")
    # The package of an earlier test has the same name, and its folder is gone.
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder.name


def test_jobs_of_the_modules_that_can_be_imported_are_loaded(package: str) -> None:
    assert list(load_jobs(package)) == ["sound"]


def test_where_nothing_can_be_imported_nothing_is_loaded() -> None:
    with pytest.raises(DefinitionsInvalid, match="no such package"):
        load_jobs("definitions_that_are_not_there")


def test_a_worker_runs_what_can_be_loaded_and_leaves_the_rest_waiting(
    world: World, package: str
) -> None:
    jobs = [*load_jobs(package).values(), a_job("torn")]
    world.define(a_schedule(), jobs=jobs)
    made = run_now.run_all(world.database, Act(world.now, TESTER), world.registry)
    assert made
    worker = Worker(
        Runtime(Settings(definitions=package, worker_processes=1), world.database),
        now=lambda: world.now,
    )
    try:
        while worker.run_once(world.now):
            pass
    finally:
        worker.close()
    assert {run.job_name: run.status for run in world.runs()} == {
        "sound": "SUCCESS",
        "torn": "QUEUED",
    }
