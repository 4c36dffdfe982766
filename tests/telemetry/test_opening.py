"""What the settings switch on, what is missing, and a sink that fails."""

import sys
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.support.factories import World, a_schedule
from tick.engine.statistics.count import Counted
from tick.errors import SettingsError
from tick.settings import Settings
from tick.telemetry import Telemetry, open_telemetry
from tick.telemetry.records import read_runs
from tick.ticks.tick import run_tick

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Broken:
    """A sink that fails at everything."""

    def tick(self, row: object) -> None:
        raise RuntimeError("no route")

    occurrence = run = tick

    def close(self) -> None:
        raise RuntimeError("no route")


class Listener:
    """A sink that keeps what ended."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def tick(self, row: object) -> None: ...

    def occurrence(self, told: object) -> None: ...

    def run(self, told: object) -> None:
        self.ended.append("run")

    def close(self) -> None: ...


def test_without_settings_nothing_is_exported_or_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("opentelemetry", "sentry_sdk"):
        monkeypatch.setitem(sys.modules, name, None)
    open_telemetry(Settings()).close()


@pytest.mark.parametrize(
    ("settings", "package"),
    [
        (Settings(traces="otlp"), "opentelemetry"),
        (Settings(sentry_dsn=SecretStr("https://key@sentry.example/1")), "sentry_sdk"),
    ],
)
def test_a_missing_package_is_named_with_what_to_install(
    settings: Settings, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith((package, "tick.telemetry."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match="pip install"):
        open_telemetry(settings)


def test_what_is_configured_is_opened_and_closed() -> None:
    both = Settings(traces="otlp", sentry_dsn=SecretStr("http://key@127.0.0.1:1/1"))
    open_telemetry(both).close()


def test_a_sink_that_fails_fails_no_tick(world: World) -> None:
    world.define(a_schedule())
    world.enable()
    runtime = world.runtime
    vars(runtime)["telemetry"] = Telemetry([Broken()])
    assert run_tick(runtime, TWO).fired_count == 1
    world.finish_runs()
    assert run_tick(runtime, TWO).fired_count == 0
    runtime.telemetry.close()


def test_a_database_that_is_away_fails_no_tick(caplog: pytest.LogCaptureFixture) -> None:
    away = sa.create_engine("sqlite:////no/such/folder/tick.db")
    Telemetry([Broken()]).ended(away, [Counted([1], [1], more=False)], TWO)
    assert "ends were not exported" in caplog.text


def test_a_run_that_is_retried_meanwhile_is_not_exported(world: World) -> None:
    world.define(a_schedule())
    world.enable()
    world.tick(TWO)
    with world.database.read.connect() as connection:
        assert read_runs(connection, [run.id for run in world.runs()], TWO) == []


def test_old_ends_are_not_exported(world: World) -> None:
    world.define(a_schedule())
    world.enable()
    runtime, told = world.runtime, Listener()
    vars(runtime)["telemetry"] = Telemetry([told])
    for at, so_far in ((TWO, []), (TWO + 2 * DAY, []), (TWO + 2 * DAY + MINUTE, ["run"])):
        world.now = at
        run_tick(runtime, at)
        assert told.ended == so_far
        world.finish_runs()
