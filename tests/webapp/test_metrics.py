"""/metrics: closed by default, well formed, and what the database holds; also after pruning."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from tests.engine.histories import History
from tests.support.factories import TESTER, World
from tests.webapp.visitor import Visitor
from tick.engine.ledger.audit import Act
from tick.engine.statistics.prune import Keep, prune_all
from tick.ops.access import tokens
from tick.states import Role, TokenScope
from tick.store.tables import job_run
from webapp import create_app

TOKEN = "a metrics token for tests"
DEPLOY = Path(__file__).parents[2] / "deploy"
Families = dict[str, Metric]


@pytest.fixture
def app(world: World) -> Flask:
    world.settings = world.settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})
    return create_app(world.runtime)


def scrape(app: Flask, token: str = TOKEN) -> Families:
    response = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200, response.text
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def samples(families: Families, name: str) -> dict[tuple[str, ...], float]:
    """The values of a sample's name, by its labels in alphabetical order."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic YTpi", f"Token {TOKEN}"])
def test_nobody_reads_without_the_token(app: Flask, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    response = app.test_client().get("/metrics", headers=headers)
    assert response.status_code == 401
    assert "tick_" not in response.text


def test_without_a_token_in_the_settings_it_is_closed(world: World) -> None:
    app = create_app(world.runtime)
    response = app.test_client().get("/metrics", headers={"Authorization": "Bearer "})
    assert response.status_code == 401


def test_a_session_does_not_open_it(ada: Visitor) -> None:
    assert ada.get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("scope", "opens"),
    [(TokenScope.METRICS, True), (TokenScope.API, True), (TokenScope.FEED, False)],
)
def test_an_api_token_opens_it_by_its_scope(
    app: Flask, world: World, scope: TokenScope, opens: bool
) -> None:
    _, text = tokens.create_token(
        world.database, Act(world.now, TESTER), "prometheus", Role.VIEWER, days=30, scope=scope
    )
    response = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {text}"})
    assert response.status_code == (200 if opens else 401)


def test_names_and_units_are_as_prometheus_wants_them(app: Flask, world: World) -> None:
    History(world, seed=2).go_on(60)
    families = scrape(app)
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for family in families.values():
        assert re.fullmatch(r"tick_[a-z][a-z_]*", family.name)
        assert family.documentation and family.type != "unknown"
        assert not re.search(r"(milliseconds|minutes|hours|_ms|_percent)$", family.name)
        for sample in family.samples:
            if family.type == "counter":
                assert sample.name.endswith("_total")
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in seen
            seen.add(key)
            assert (
                not sample.labels.keys() & {"instance", "le", "quantile"} or "le" in sample.labels
            )
    text = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    for kind in ("HELP", "TYPE"):
        told = re.findall(rf"^# {kind} (\S+)", text, re.MULTILINE)
        assert len(told) == len(set(told)) == len(families)


def test_openmetrics_is_well_formed_and_says_the_same(app: Flask, world: World) -> None:
    History(world, seed=3).go_on(30)
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/openmetrics-text"}
    response = app.test_client().get("/metrics", headers=headers)
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    told = {family.name: family for family in openmetrics(response.text)}
    assert samples(told, "tick_runs_total") == samples(scrape(app), "tick_runs_total")


def test_a_histogram_rises_to_its_count(app: Flask, world: World) -> None:
    History(world, seed=5).go_on(60)
    families = scrape(app)
    buckets = samples(families, "tick_run_duration_seconds_bucket")
    counts = samples(families, "tick_run_duration_seconds_count")
    assert counts
    for (job,), count in counts.items():
        of_job = [(float(le), value) for (name, le), value in buckets.items() if name == job]
        rising = [value for _, value in sorted(of_job)]
        assert rising == sorted(rising) and rising[-1] == count


def test_it_agrees_with_what_happened_counted_or_not(app: Flask, world: World) -> None:
    history = History(world, seed=9)
    for _ in range(4):
        history.go_on(25)
        found = samples(scrape(app), "tick_runs_total")
        expected: Counter[tuple[str, str]] = Counter()
        words = {"SUCCESS": "succeeded"}
        for (_, job, status), number in history.runs.items():
            expected[job, words.get(status, status.lower())] += number
        assert {key: value for key, value in found.items() if value} == dict(expected)


def test_counters_never_go_back_when_rows_are_pruned(app: Flask, world: World) -> None:
    history = History(world, seed=4)
    history.go_on(80)
    before = scrape(app)
    world.now += timedelta(days=100)
    keep = Keep.of(world.settings, 1)
    gone, _ = prune_all(world.database.write, world.now, replace(keep, statistics_days=1))
    assert gone["job_run"] and gone["tick_log"] and gone["run_hour"]
    after = scrape(app)
    for family in before.values():
        if family.type in ("counter", "histogram"):
            for sample in family.samples:
                key = tuple(value for _, value in sorted(sample.labels.items()))
                assert samples(after, sample.name)[key] == sample.value, sample


def test_what_waits_and_who_works_is_told(app: Flask, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    families = scrape(app)
    waiting = samples(families, "tick_runs_unfinished")
    assert waiting["match-scores", "default", "queued"] == 1
    assert samples(families, "tick_queue_oldest_timestamp_seconds").keys() == {("default",)}
    assert samples(families, "tick_schedule_enabled")[("daily", "active")] == 0


def test_a_run_that_waits_for_its_time_is_no_sign_that_a_queue_stands(
    app: Flask, world: World, ada: Visitor
) -> None:
    ada.post("/schedules/daily/run")
    later = world.runtime.now() + timedelta(hours=1)
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).values(available_at=later))
    assert samples(scrape(app), "tick_queue_oldest_timestamp_seconds") == {}


def test_the_first_instant_that_a_schedule_misses_is_an_increase(app: Flask, world: World) -> None:
    assert samples(scrape(app), "tick_instants_total")["missed", "daily"] == 0


def named_in(text: str) -> set[str]:
    return set(re.findall(r"\btick_[a-z_]+", text))


@pytest.mark.parametrize("path", ["grafana/dashboard.json", "prometheus/rules.yaml"])
def test_dashboard_and_rules_name_only_metrics_that_exist(
    app: Flask, world: World, ada: Visitor, path: str
) -> None:
    ada.post("/schedules/daily/run")
    History(world, seed=6).go_on(40)
    families = scrape(app).values()
    exist = {sample.name for family in families for sample in family.samples}
    exist |= {family.name for family in families}
    named = named_in((DEPLOY / path).read_text())
    assert len(named) > 8
    assert named <= exist


def test_the_dashboards_panels_do_not_overlap() -> None:
    panels = json.loads((DEPLOY / "grafana/dashboard.json").read_text())["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
