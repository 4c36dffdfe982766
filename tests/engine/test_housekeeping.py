"""Upkeep gives way to whoever is at work."""

import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tick.engine.statistics.prune import Keep
from tick.store.tables import setting
from tick.ticks.housekeeping import housekeeping


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits hardly at all."""
    monkeypatch.setattr("tick.ticks.housekeeping.PATIENCE_SECONDS", 0.01)


def keep_up_now(world: World) -> None:
    keep = Keep.of(world.settings)
    housekeeping(world.database.write, world.now + timedelta(hours=2), keep, lambda: True)


def test_what_somebody_else_has_locked_is_no_error_of_housekeeping(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with world.database.write.begin() as rival:
        rival.execute(sa.update(setting).values(updated_by="rival"))
        keep_up_now(world)
    (told,) = (record for record in caplog.records if "housekeeping is left" in record.message)
    assert told.levelno == logging.INFO


def test_any_other_failure_of_housekeeping_is_an_error(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with world.database.write.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE run_hour RENAME TO elsewhere")
        connection.exec_driver_sql("ALTER TABLE setting RENAME TO away")
    keep_up_now(world)
    (told,) = (record for record in caplog.records if "housekeeping is left" in record.message)
    assert told.levelno == logging.ERROR
