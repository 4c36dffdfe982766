"""The sample community, made once, and every job run on it once."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from definitions.community import generate
from definitions.community.database import replace
from tick.define.registry import Registry, load_registry

Results = dict[str, Any]


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The jobs and schedules that ship."""
    return load_registry("definitions")


# A smaller community than the one that ships, so that running every job twice takes seconds.
SIZES = {
    "definitions.community.generate": {"MEMBERS": 400, "POSTS": 1_600, "INTERACTIONS": 9_000},
    "definitions.community.pictures": {"ORIGINALS": 36, "COPIES": 8},
}


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Generate small communities from here on."""
    for module, sizes in SIZES.items():
        for name, size in sizes.items():
            patch.setattr(f"{module}.{name}", size)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Communities that this test generates are small."""
    make_small(monkeypatch)


@pytest.fixture(scope="session")
def first_run(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    """A fresh community's file, and what each job returned: one run of all in dependency order."""
    path = tmp_path_factory.mktemp("community") / "community.db"
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        patch.setenv("COMMUNITY_DATABASE", str(path))
        patch.setattr("definitions.maintenance.prune", lambda keep_days: {"job_run": keep_days})
        generate.generate(path, path.with_name("media"))
        order = registry.select({"mode": "ALL_JOBS"}).jobs
        return path, {name: registry.job(name).function() for name in order}


@pytest.fixture
def results(first_run: tuple[Path, Results], monkeypatch: pytest.MonkeyPatch) -> Results:
    """What each job returned; the test works on the community that they left."""
    path, results = first_run
    monkeypatch.setenv("COMMUNITY_DATABASE", str(path))
    return results


@pytest.fixture
def query(results: Results, first_run: tuple[Path, Results]) -> Iterator[Callable[..., list[Any]]]:
    """Asks the community that all jobs ran on: `query(sql, *parameters)` gives rows."""
    with closing(sqlite3.connect(first_run[0])) as db:
        yield lambda sql, *parameters: db.execute(sql, parameters).fetchall()


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, int]]:
    """Fills an empty community: `fill(post=[row, …])`; members 1 to 5 exist."""
    path = tmp_path / "community.db"
    (tmp_path / "media").mkdir()
    monkeypatch.setenv("COMMUNITY_DATABASE", str(path))
    generate.write(path, {"member": [(member, f"Member {member}", 0) for member in range(1, 6)]})
    return replace
