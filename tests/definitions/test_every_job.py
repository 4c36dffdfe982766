"""What holds for each job that ships, whatever it does."""

import hashlib
import json
import marshal
import multiprocessing
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing

import pytest

from definitions import feed, maintenance, matching, media, quiz, search
from tick.define.registry import load_registry

JOBS = load_registry("definitions").jobs
GROUPS = {"matching", "feed", "search", "maintenance", "media", "quiz"}
NAMED_BY_THE_PROPOSAL = {"match-scores", "compatibility", "content-features", "trending"}


@pytest.fixture(scope="module")
def contents_at_first(first_run):
    """What the tables held when each job had run once."""
    with closing(sqlite3.connect(first_run[0])) as db:
        return contents(lambda sql: db.execute(sql).fetchall())


def test_there_are_at_least_22_jobs_in_six_groups(registry):
    assert len(registry.jobs) >= 22
    assert set(registry.groups) == GROUPS
    assert set(registry.jobs) >= NAMED_BY_THE_PROPOSAL


def test_each_group_has_a_module_of_its_own(registry):
    modules = {definition.function.__module__ for definition in registry.jobs.values()}
    assert modules == {
        module.__name__ for module in (feed, maintenance, matching, media, quiz, search)
    }
    for definition in registry.jobs.values():
        assert definition.function.__module__ == f"definitions.{definition.group}"


def test_dependencies_cross_the_groups(registry):
    crossing = {
        (registry.job(edge.depends_on).group, registry.job(edge.job).group)
        for edge in registry.edges
    }
    assert {("matching", "feed"), ("matching", "search"), ("quiz", "matching")} <= crossing


def test_all_jobs_run_in_dependency_order_on_a_fresh_community(registry, results):
    order = list(results)
    assert set(order) == set(registry.jobs)
    for edge in registry.edges:
        assert order.index(edge.depends_on) < order.index(edge.job)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_says_what_it_does_and_what_it_did(name, results):
    assert JOBS[name].description.endswith(".")
    assert JOBS[name].idempotent
    assert results[name], "an empty answer says nothing"
    assert json.loads(json.dumps(results[name])) == results[name]


@pytest.mark.freeze_time("2031-05-05")
@pytest.mark.parametrize("name", JOBS)
def test_running_a_job_again_years_later_changes_nothing(
    name, query, contents_at_first, monkeypatch
):
    monkeypatch.setattr("definitions.maintenance.prune", lambda keep_days: {"job_run": 0})
    JOBS[name].function()
    assert contents(query) == contents_at_first


@pytest.mark.parametrize("name", sorted(JOBS.keys() - {"prune-history"}))
def test_a_job_copes_with_an_empty_community(name, fill):
    assert JOBS[name].function()


def test_jobs_run_at_the_same_time_in_processes_of_their_own(query, contents_at_first):
    quick = [feed.trending, feed.affinity, search.autocomplete, quiz.quiz_scores]
    quick += [maintenance.optimize_database, maintenance.expired_sessions, matching.compatibility]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=4, mp_context=spawn) as pool:
        runs = [pool.submit(function) for function in quick * 3]
        assert all(run.result() for run in runs)
    assert contents(query) == contents_at_first


def test_without_a_community_a_job_says_how_to_make_one(monkeypatch, tmp_path):
    monkeypatch.setenv("COMMUNITY_DATABASE", str(tmp_path / "none.db"))
    with pytest.raises(FileNotFoundError, match=r"python -m definitions\.community"):
        feed.trending()


def contents(query):
    """Each table's name to a digest of its rows, in the order in which they are stored."""
    names = query("SELECT name FROM pragma_table_list WHERE type IN ('table', 'virtual')")
    tables = [name for (name,) in names if not name.startswith("sqlite_")]
    return {
        table: hashlib.sha256(marshal.dumps(query(f"SELECT * FROM {table}"), 2)).hexdigest()
        for table in tables
    }
