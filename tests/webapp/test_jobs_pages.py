"""Jobs: the registry, its graph, one job, and running them with parameters."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.factories import World, a_job, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor, location
from tick.errors import DefinitionsInvalid
from tick.store.tables import job_run, occurrence

FORM = "/jobs/match-scores/run"


def _send(ada: Visitor, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
    """The form as it stands, with some fields filled in otherwise."""
    page = ada.page(FORM)
    texts = dict(
        re.findall(r'<input class="form-control" id="[^"]+" name="([^"]+)" value="([^"]*)"', page)
    )
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    given = {f"param-{name}": value for name, value in fields.items()}
    data = {"csrf_token": ada.token, "fields": "yes", "param-depth": "full", "param-names": "[]"}
    return ada.client.post(FORM, data={**data, **texts, **given, "key": key[1]}, headers=headers)


def _params(world: World) -> list[dict[str, Any]]:
    return [run.params for run in world.runs()]


def test_jobs_are_listed_by_group_and_run_from_there(world: World, ada: Visitor) -> None:
    page = ada.page("/jobs")
    assert page.index("content-features") < page.index("match-scores")
    ada.press(ada.page("/jobs/match-scores/run"), "/jobs/match-scores/run")
    assert [run.job_name for run in world.runs()] == ["match-scores"]
    ada.press(ada.page("/groups/matching/run"), "/groups/matching/run")
    assert [run.job_name for run in world.runs()[1:]] == ["match-scores", "compatibility"]
    ada.press(ada.page("/run-all"), "/run-all")
    assert len(world.runs()) == 6
    assert "Queued" in ada.page("/jobs")


def test_a_form_s_key_is_of_what_it_starts(world: World, ada: Visitor) -> None:
    for job in ("match-scores", "compatibility") * 2:
        ada.post(f"/jobs/{job}/run", key="the same key")
        ada.post(f"/jobs/{job}/run", key="the-same-key")
    names = [run.job_name for run in world.runs()]
    # What is no key makes nothing one: twice each; what is one makes it once.
    assert sorted(names) == ["compatibility"] * 3 + ["match-scores"] * 3


def test_a_group_is_run_with_parameters_and_says_who_takes_which(
    world: World, ada: Visitor
) -> None:
    page = ada.page("/groups/matching/run")
    assert re.search(
        r'for="param-keep">keep <span[^>]*>whole number, may be empty, for match-', page
    )
    assert re.search(r'<select[^>]* name="param-dry"[^>]*>\s*<option value=""></option>', page)
    ada.post(
        "/groups/matching/run", **{"param-keep": "40", "param-dry": "false", "param-depth": ""}
    )
    ada.post("/run-all", **{"param-dry": "true"})
    assert {run.id: run.params for run in world.runs() if run.params} == {
        1: {"keep": 40, "dry": False},
        4: {"dry": True},
    }


def test_a_group_is_told_yes_or_no_where_a_job_requires_it(world: World, ada: Visitor) -> None:
    def switch(dry: bool) -> None:
        """Must be told."""

    world.define(jobs=[a_job("switch", function=switch)])
    ada.client.application.extensions["tick"].__dict__["registry"] = world.registry
    page = ada.page("/groups/matching/run")
    assert re.search(r'<select[^>]* name="param-dry"[^>]*>\s*<option value=""></option>', page)
    assert ada.post("/groups/matching/run", **{"param-dry": ""}).status_code == 422
    ada.post("/groups/matching/run", **{"param-dry": "false"})
    assert _params(world) == [{"dry": False}]


def test_a_mistake_in_a_groups_form_stands_beside_its_field(world: World, ada: Visitor) -> None:
    for path in ("/groups/matching/run", "/run-all"):
        response = ada.post(path, **{"param-keep": "0", "param-weights": '{"tempo": "fast"}'})
        assert response.status_code == 422
        assert 'id="problem-keep">' in response.text
        assert "match-scores: Input should be greater than or equal to 1" in response.text
        assert "weights.tempo: match-scores: Input should be a valid number" in response.text
    assert "This is not JSON" in ada.post("/run-all", **{"param-names": "["}).text
    assert world.runs() == []


def test_an_unknown_job_or_group_is_not_there(ada: Visitor) -> None:
    for path in ("/jobs/nothing/run", "/groups/nothing/run"):
        assert ada.post(path).status_code == 404
        assert ada.get(path).status_code == 404
    assert ada.get("/jobs/nothing").status_code == 404


def test_the_form_has_a_typed_field_for_each_parameter(ada: Visitor) -> None:
    page = ada.page(FORM)
    assert re.search(r'name="param-keep" value="25"[^>]* type="number" step="1" min="1"', page)
    assert re.search(r'<select[^>]* name="param-depth"[^>]*>\s*<option selected>full', page)
    assert 'type="checkbox" id="param-dry"' in page
    assert re.search(r'name="param-since" value=""[^>]* type="date"', page)
    assert re.search(r"<textarea[^>]* name=\"param-names\"[^>]*>\[\]<", page)


def test_what_equals_the_default_goes_on_being_the_functions(world: World, ada: Visitor) -> None:
    _send(ada)
    _send(ada, keep="40", depth="quick", dry="on", since="2026-11-24", weights='{"a": 1}')
    assert _params(world) == [
        {},
        {"keep": 40, "depth": "quick", "dry": True, "since": "2026-11-24", "weights": {"a": 1.0}},
    ]


def test_a_mistake_stands_beside_its_field_and_nothing_runs(world: World, ada: Visitor) -> None:
    response = _send(ada, keep="many", weights="{", since="yesterday")
    assert response.status_code == 422
    assert world.runs() == []
    for name, words in {
        "keep": "Input should be a valid integer",
        "weights": "This is not JSON",
        "since": "Input should be a valid date",
    }.items():
        assert re.search(rf'id="problem-{name}">.*{words}', response.text, re.DOTALL), name
    assert re.search(r'name="param-keep" value="many"[^>]* aria-invalid="true"', response.text)
    below = _send(ada, keep="0", names='["a", "\\u0000"]')
    assert "greater than or equal to 1" in below.text


def test_what_no_database_could_keep_is_refused(world: World, ada: Visitor) -> None:
    assert "NUL" in _send(ada, names='["\\u0000"]').text
    assert "This is not JSON" in _send(ada, weights='{"a": NaN}').text
    assert world.runs() == []


def test_too_deep_json_and_lone_surrogates_are_refused(world: World, ada: Visitor) -> None:
    for path in (FORM, "/groups/matching/run", "/run-all"):
        for text in ("[" * 3000, '["\\ud800"]'):
            response = ada.post(path, fields="yes", **{"param-names": text})
            assert response.status_code == 422
            assert 'id="problem-names">' in response.text
    assert world.runs() == []


def test_a_parameter_that_no_job_knows_is_a_problem_and_nothing_runs(
    world: World, ada: Visitor
) -> None:
    for path in (FORM, "/groups/matching/run", "/run-all"):
        response = ada.post(path, fields="yes", **{"param-kep": "40"})
        assert response.status_code == 422
        assert "kep: " in response.text
    assert world.runs() == []


def test_a_mistake_comes_back_into_the_dialog(ada: Visitor) -> None:
    response = _send(ada, {"HX-Request": "true"}, keep="many")
    assert (response.status_code, response.headers["HX-Retarget"]) == (200, "#dialog")


def test_the_same_form_sent_twice_starts_once(world: World, ada: Visitor) -> None:
    form = ada.page(FORM)
    for _ in range(2):
        assert location(ada.press(form, FORM)) == "/jobs"
    assert len(world.runs()) == 1
    assert len(world.rows(sa.select(occurrence))) == 1


def test_a_form_says_what_is_under_way(world: World, ada: Visitor) -> None:
    assert "under way" not in ada.page(FORM)
    ada.post("/schedules/daily/run")
    assert "1 run is under way" in ada.page(FORM)
    assert "3 runs are under way" in ada.page("/run-all")


def test_a_job_shows_its_policy_both_ways_of_its_dependencies_and_its_runs(
    world: World, ada: Visitor, failed_run: int
) -> None:
    page = ada.page("/jobs/content-features")
    for words in ("tests:1", "1 h", f"/runs/{failed_run}", "KeyError", ">daily</a>"):
        assert words in page
    assert '<a class="chip" href="/jobs/match-scores">' in page
    assert "by default 25" in ada.page("/jobs/match-scores")


def test_a_job_that_left_the_definitions_keeps_its_page(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    with world.database.write.begin() as connection:
        gone = sa.update(job_run).where(job_run.c.job_name == "compatibility")
        connection.execute(gone.values(job_name="gone"))
    page = ada.page("/jobs/gone")
    assert "no longer in the definitions" in page
    assert "Run now</button>" not in page


def test_the_graph_is_a_nested_list_for_everyone(ada: Visitor) -> None:
    page = ada.page("/jobs?view=graph")
    nodes = re.findall(r'<li data-node="([^"]+)" data-needs="([^"]*)"', page)
    assert nodes == [
        ("content-features", ""),
        ("match-scores", "content-features"),
        ("compatibility", "match-scores"),
    ]
    assert "Never ran" in page


@pytest.mark.parametrize("view", ["", "?view=graph"])
def test_a_chain_of_hundreds_of_jobs_still_renders(world: World, ada: Visitor, view: str) -> None:
    chain = [a_job("j0"), *(a_job(f"j{n}", depends_on=[f"j{n - 1}"]) for n in range(1, 400))]
    world.define(a_schedule("daily"), jobs=chain)
    ada.client.application.extensions["tick"].__dict__["registry"] = world.registry
    assert "j399" in ada.page(f"/jobs{view}")


def test_a_viewer_may_look_and_finds_no_form(vic: Visitor) -> None:
    assert "Run now" not in vic.page("/jobs/match-scores")
    assert vic.get(FORM).status_code == 403
    assert len(JOBS) == 3


def test_broken_definitions_leave_every_page_standing(
    app: Flask, ada: Visitor, failed_run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(type(app.extensions["tick"])):  # type: ignore[misc]
        @property
        def registry(self) -> None:
            raise DefinitionsInvalid(["jobs.py:1: a mistake"])

    runtime = app.extensions["tick"]
    monkeypatch.setitem(app.extensions, "tick", Broken(runtime.settings, runtime.database))
    assert "jobs.py:1: a mistake" in ada.page("/jobs")
    assert "jobs.py:1: a mistake" in ada.page("/jobs?view=graph")
    page = ada.page("/jobs/content-features")
    assert "hold mistakes" in page
    assert f"/runs/{failed_run}" in page
    for path in ("/", "/schedules", f"/runs/{failed_run}", "/occurrences/1", "/workers"):
        assert ada.get(path).status_code == 200, path
    assert ada.get(FORM).status_code == 503


def test_a_reason_stays_in_the_form_until_the_form_is_right(world: World, ada: Visitor) -> None:
    refused = ada.post(FORM, **{"fields": "yes", "param-depth": "odd", "reason": "new <disk>"})
    assert 'value="new &lt;disk&gt;"' in refused.text
    for path in (FORM, "/groups/matching/run", "/run-all"):
        ada.press(ada.page(path), path, reason=f"for {path}")
    reasons = [row.reason for row in world.rows(sa.select(occurrence).order_by(occurrence.c.id))]
    assert reasons == [f"for {path}" for path in (FORM, "/groups/matching/run", "/run-all")]
