"""Definitions become a registry: loaded from a package, selected, and told apart by a digest."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.factories import a_job, a_schedule
from tick.define.registry import Registry, build_registry, load_registry
from tick.errors import DefinitionsInvalid, NotFound
from tick.policy.graph import Edge
from tick.states import Mode

JOBS = (
    a_job("content-features", "search"),
    a_job("match-scores", depends_on=["content-features"]),
    a_job("suggestions", depends_on=["match-scores"]),
)
REGISTRY = build_registry(JOBS, [a_schedule()])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package of definitions that can be imported as `sample_defs`."""
    folder = tmp_path / "sample_defs"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "sample_defs"]:
        del sys.modules[name]


def test_jobs_and_schedules_are_found_in_every_module_of_the_package(package: Path) -> None:
    (package / "jobs").mkdir()
    (package / "jobs" / "__init__.py").touch()
    (package / "jobs" / "feed.py").write_text(
        "from tick import job\n@job(group='feed')\ndef refresh_feed(): 'Refresh.'\n"
    )
    (package / "schedules.py").write_text(
        "from tick import Schedule\n"
        "schedules = [Schedule(id='a', name='A', cron='@daily')]\n"
        "other = Schedule(id='b', name='B', cron='@hourly')\n"
    )
    registry = load_registry("sample_defs")
    assert list(registry.jobs) == ["refresh-feed"]
    assert registry.job("refresh-feed").description == "Refresh."
    assert sorted(registry.schedules) == ["a", "b"]
    assert registry.schedules["b"].source == "sample_defs/schedules.py:3"


def test_a_module_that_does_not_import_is_told_with_the_other_mistakes(package: Path) -> None:
    (package / "broken.py").write_text("x = 1\ny = x / 0\n")
    (package / "schedules.py").write_text(
        "from tick import Schedule\nbad = Schedule(id='b', name='B', cron='61 * * * *')\n"
    )
    with pytest.raises(DefinitionsInvalid) as caught:
        load_registry("sample_defs")
    first, *others = caught.value.mistakes
    assert first == (
        "sample_defs/broken.py:2: importing sample_defs.broken raised ZeroDivisionError: division "
        "by zero; mend the module."
    )
    assert len(others) == 2


def test_a_module_that_cannot_be_read_is_told_with_its_line(package: Path) -> None:
    (package / "broken.py").write_text("x = 1\ndef f(:\n")
    with pytest.raises(DefinitionsInvalid, match=r"sample_defs/broken\.py:2: importing .* invalid"):
        load_registry("sample_defs")


def test_a_package_that_is_not_there_says_which_setting_to_set() -> None:
    with pytest.raises(DefinitionsInvalid, match="no_such_defs: no such package; set TICK_DEFIN"):
        load_registry("no_such_defs")


@pytest.mark.parametrize(
    ("target", "jobs"),
    [
        ({"mode": Mode.ALL_JOBS}, ("content-features", "match-scores", "suggestions")),
        ({"mode": Mode.GROUP, "job_group": "matching"}, ("match-scores", "suggestions")),
        ({"mode": Mode.SINGLE_JOB, "jobs": ["suggestions"]}, ("suggestions",)),
        (
            {"mode": Mode.CUSTOM, "jobs": ["suggestions", "content-features"]},
            ("suggestions", "content-features"),
        ),
        (
            {"mode": Mode.SINGLE_JOB, "jobs": ["match-scores"], "with_dependencies": True},
            ("content-features", "match-scores"),
        ),
    ],
)
def test_each_mode_selects_its_jobs_in_dependency_order(
    target: dict[str, Any], jobs: tuple[str, ...]
) -> None:
    assert REGISTRY.select(target).jobs == jobs


def test_dependencies_outside_a_group_are_named_as_ignored() -> None:
    found = REGISTRY.select({"mode": Mode.GROUP, "job_group": "matching"})
    assert found.ignored == (Edge("match-scores", "content-features"),)


def test_an_unknown_job_is_named() -> None:
    with pytest.raises(NotFound, match="'match-score'"):
        REGISTRY.job("match-score")


def test_an_edge_is_tolerant_when_the_job_says_so_or_always_runs() -> None:
    jobs = [
        a_job("a"),
        a_job("b", depends_on=["a"], tolerates=frozenset({"a"})),
        a_job("c", depends_on=["a"], always=True),
        a_job("d", depends_on=["a"]),
    ]
    edges = build_registry(jobs, []).edges
    assert [edge.tolerant for edge in edges] == [True, True, False]


def with_schedule(**parts: Any) -> Registry:
    return build_registry(JOBS, [a_schedule(**parts)])


@pytest.mark.parametrize(
    "parts",
    [
        {"cron": "0 3 * * *"},
        {"timezone": "Europe/Berlin"},
        {"name": "Other words"},
        {"description": "Other words"},
        {"mode": "GROUP", "job_group": "search"},
        {"grace": 60.0},
        {"jitter": 600.0},
    ],
    ids=str,
)
def test_the_digest_changes_with_everything_that_a_sync_would_store(parts: dict[str, Any]) -> None:
    assert with_schedule(**parts).digest != REGISTRY.digest


def test_a_digest_follows_a_jobs_policy_and_ignores_its_place() -> None:
    other = build_registry(
        [*JOBS[:2], a_job("suggestions", depends_on=["match-scores"], retries=1)], [a_schedule()]
    )
    assert other.digest != REGISTRY.digest
    assert with_schedule().digest == REGISTRY.digest


def test_jitter_is_stable_bounded_and_differs_between_schedules() -> None:
    shares = {
        name: a_schedule(name, jitter=600.0).rule().offset_seconds
        for name in (f"s{number}" for number in range(50))
    }
    assert all(0 <= share < 600 for share in shares.values())
    assert len(set(shares.values())) > 30
    assert a_schedule("s7", jitter=600.0).rule().offset_seconds == shares["s7"]


def test_an_interval_and_a_single_instant_are_kinds_of_their_own() -> None:
    assert a_schedule(every=timedelta(hours=1)).kind == "INTERVAL"
    assert a_schedule().kind == "CRON"
