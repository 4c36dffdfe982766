"""Somebody new in front of an empty console: each page says what comes next."""

import re
from datetime import datetime, timedelta
from html import unescape

import click
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.support.factories import World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor
from tick import alerts
from tick.cli import main as cli
from tick.notify.channels import channels_of
from tick.store.tables import alert
from webapp import create_app


@pytest.fixture
def newcomer(world: World) -> Visitor:
    """Ada, before anything was defined or ran."""
    world.define(jobs=())
    return Visitor(create_app(world.runtime)).log_in("ada")


def _commands(page: str) -> list[str]:
    found = re.findall(r'<span class="command"><code>(.*?)</code>', page)
    return [unescape(text) for text in found]


@pytest.mark.parametrize(
    ("path", "commands"),
    [
        ("/", ["tick enable SCHEDULE_ID"]),
        ("/jobs", ['@job(group="reports")', "tick check"]),
        ("/runs", ["tick run --all"]),
        ("/upcoming", ["tick enable SCHEDULE_ID"]),
        ("/upcoming?span=month", ["tick enable SCHEDULE_ID"]),
        ("/workers", ["tick worker", "tick loop"]),
        ("/alerts", ["tick alerts test"]),
        ("/stats", ["tick run --all"]),
    ],
)
def test_an_empty_page_shows_the_next_command(
    newcomer: Visitor, path: str, commands: list[str]
) -> None:
    page = newcomer.page(path)
    assert _commands(page) == commands
    assert page.count("data-copy") == len(commands)


def test_what_has_not_run_yet_says_how_to_run_it(ada: Visitor) -> None:
    assert _commands(ada.page("/schedules/daily")) == ["tick run daily"]
    assert _commands(ada.page("/jobs/match-scores")) == ["tick run --job match-scores"]


def test_who_may_only_look_is_not_sent_to_run_anything(vic: Visitor) -> None:
    for path in ("/schedules/daily", "/jobs/match-scores", "/runs"):
        assert _commands(vic.page(path)) == []


def test_an_instant_that_did_not_fire_says_how_to_learn_why(world: World, ada: Visitor) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=3, minutes=30))
    page = ada.page("/schedules/hourly?show=not-fired")
    found = re.search(r'href="(/occurrences/\d+)"', page)
    assert found
    why, slot = _commands(ada.page(found[1]))
    assert re.fullmatch(r"tick why hourly [\d:TZ-]+", why)
    assert re.fullmatch(r"tick slot hourly [\d:TZ-]+", slot)


def test_every_command_that_a_page_shows_exists() -> None:
    shown = {"enable", "check", "run", "worker", "loop", "why", "slot", "audit", "alerts", "sync"}
    assert shown <= set(cli.list_commands(click.Context(cli)))


def test_a_schedule_shows_who_is_told_of_what(world: World) -> None:
    rules = (alerts.Failed(after=3), alerts.NoSuccess(within=timedelta(hours=26)))
    own = a_schedule("own", alerts=rules, ping_url="https://hc-ping.example/1")
    world.define(own, a_schedule("plain"), a_schedule("none", alerts=()), jobs=JOBS)
    world.settings = world.settings.model_copy(
        update={"alert_urls": SecretStr("json://localhost/a-secret")}
    )
    ada = Visitor(create_app(world.runtime)).log_in("ada")
    page = ada.page("/schedules/own")
    assert "2 rules, its own" in page
    assert "<li>it failed 3 times in a row</li><li>it has had no success for 26 hours</li>" in page
    assert "switch of its own hears of each start and end" in page
    assert "5 rules, as every schedule has them" in ada.page("/schedules/plain")
    assert "No rule: nobody is told" in ada.page("/schedules/none")
    assert "a-secret" not in page
    (told,) = re.findall(r'Told by <span class="chip">([^<]+)</span>', page)
    assert told in [channel.id for channel in channels_of(world.settings)]


def test_a_schedule_leads_to_its_open_alerts(world: World, ada: Visitor, now: datetime) -> None:
    page = ada.page("/schedules/daily")
    assert "None open" in page
    assert "Set <code>TICK_ALERT_URLS</code>" in page
    said = {"rule": "failed", "title": "It failed", "message": "It failed", "at": now}
    rows = [said | {"key": f"failed:{n}", "schedule_id": "daily"} for n in range(3)]
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(alert), rows)
        over = sa.update(alert).where(alert.c.key == "failed:2")
        connection.execute(over.values(resolved_at=now))
    link = 'class="state tone-bad" href="/alerts?schedule=daily"'
    assert re.search(re.escape(link) + ".*?</svg>2 open</a>", ada.page("/schedules/daily"))
    listed = ada.page("/schedules")
    assert re.search(re.escape(link) + ".*?</svg>2 alerts</a>", listed)
    assert listed.count("/alerts?schedule=") == 1


def test_an_occurrence_says_why_in_one_sentence_with_the_facts(world: World, ada: Visitor) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=3, minutes=30))
    found = re.search(r'href="(/occurrences/\d+)"', ada.page("/schedules/hourly?show=not-fired"))
    assert found
    assert f'action="{found[1]}/why"' in ada.page(found[1])
    page = ada.page(f"{found[1]}/why")
    assert re.search(r"<p>hourly at [\d: -]+ UTC did not fire \((MISSED|COALESCED)\): ", page)
    for fact in ("version", "missed", "tick after", "decided"):
        assert f"<dt>{fact}</dt>" in page
    ada.post("/schedules/daily/run")
    manual = re.search(r'href="(/occurrences/\d+)"', ada.page("/schedules/daily"))
    assert manual
    assert "/why" not in ada.page(manual[1])
    assert ada.get(f"{manual[1]}/why").status_code == 404
