"""The probes, and the console without its database."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.support.factories import World, a_schedule
from tests.support.zones import fixed, released
from tests.webapp.scenes import SETTINGS
from tests.webapp.visitor import Visitor
from tick import clock
from tick.cron.zone_data import using
from tick.errors import SettingsError
from tick.runtime import Runtime
from tick.settings import Settings
from tick.store.database import Database
from tick.store.tables import job_schedule
from webapp import create_app


def test_a_process_that_answers_is_alive_whatever_its_database_does(tmp_path: object) -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    client = create_app(Runtime(SETTINGS, database)).test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "Retry-After" in ready.headers
    assert "127.0.0.1" not in ready.text
    database.close()


def test_a_migrated_database_is_ready(app: Flask) -> None:
    assert app.test_client().get("/readyz").json == {"status": "ready"}


def test_a_database_of_another_release_is_not_ready(world: World, app: Flask) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    assert app.test_client().get("/readyz").status_code == 503


def test_a_page_says_that_the_database_is_away(
    ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("secret details"))

    monkeypatch.setattr("tick.ops.access.sessions.find_session", unreachable)
    for path in ("/schedules", "/runs/1"):
        response = ada.get(path)
        assert response.status_code == 503
        assert "database cannot be reached" in response.text
        assert "secret details" not in response.text


def test_the_console_does_not_start_without_a_secret_key(database: Database) -> None:
    with pytest.raises(SettingsError, match="TICK_SECRET_KEY"):
        create_app(Runtime(Settings(), database))


def test_the_schedulers_probe_says_whether_it_ticks(world: World, app: Flask) -> None:
    client = app.test_client()
    never = client.get("/health/scheduler")
    assert (never.status_code, never.json and never.json["status"]) == (503, "never")

    world.tick(clock.now() - timedelta(seconds=170))
    fine = client.get("/health/scheduler")
    assert (fine.status_code, fine.json and fine.json["status"]) == (200, "ok")


def test_ticks_that_stay_away_for_three_intervals_are_a_503(world: World, app: Flask) -> None:
    world.tick(clock.now() - timedelta(seconds=181))
    late = app.test_client().get("/health/scheduler")
    assert (late.status_code, late.json and late.json["status"]) == (503, "late")
    assert "Retry-After" in late.headers


def test_the_probe_reports_older_zone_data_without_naming_zones(world: World, app: Flask) -> None:
    zone = "America/Vancouver"
    world.define(a_schedule(timezone=zone))
    world.enable()
    world.now = clock.now() - timedelta(seconds=5)
    with using(released("2099a", {zone: fixed(-7)})):
        world.tick()
    assert probe(app)["older_zone_data"] is None
    with using(released("2098a", {zone: fixed(-8)})):
        world.tick(world.now + timedelta(seconds=1))
        said = probe(app)
    assert said["status"] == "ok"
    assert "update its tzdata package" in said["older_zone_data"]
    assert zone not in said["older_zone_data"]


def probe(app: Flask) -> Any:
    """Return what a monitor outside reads."""
    return app.test_client().get("/health/scheduler").json


def test_a_clock_that_was_ahead_is_shown_and_can_be_undone(
    world: World, app: Flask, ada: Visitor
) -> None:
    s = job_schedule.c
    tomorrow = world.runtime.now() + timedelta(days=1)
    ahead = sa.update(job_schedule).where(s.id == "daily")
    with world.database.write.begin() as connection:
        connection.execute(ahead.values(enabled=True, decided_to=tomorrow))
    probe = app.test_client().get("/health/scheduler")
    assert probe.status_code == 503
    assert probe.json is not None
    assert probe.json["status"] == "ahead"
    assert "A clock was ahead" in ada.page("/schedules")
    ada.page("/scheduler/resume-from-now")
    ada.post("/scheduler/resume-from-now")
    assert "A clock was ahead" not in ada.page("/schedules")


def test_a_file_that_was_moved_under_the_console_is_not_ready(world: World, app: Flask) -> None:
    if world.database.file is None:
        return
    world.tick(clock.now())
    path, client = world.database.file.path, app.test_client()
    aside = path.with_name("aside.db")
    assert client.get("/readyz").status_code == client.get("/health/scheduler").status_code == 200
    path.rename(aside)
    assert client.get("/readyz").status_code == client.get("/health/scheduler").status_code == 503
    aside.rename(path)
    assert client.get("/readyz").status_code == client.get("/health/scheduler").status_code == 200
