"""`from tick import tick`, as a caller uses it: settings from the environment, a frozen clock."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
import sqlalchemy as sa

import tick
from tick.engine.ledger.audit import Act, Author
from tick.ops.actions import switches
from tick.policy.missed import MIN_GRACE_SECONDS
from tick.store import schema
from tick.store.database import Database
from tick.store.tables import job_run, occurrence

DEFINITIONS = """
from tick import Schedule, job

@job(group="matching", depends_on=["content-features"])
def match_scores(): ...

@job(group="search")
def content_features(): ...

daily = Schedule(id="daily-full-sync", name="Daily Full Sync", cron="0 2 * * *")
off = Schedule(id="never-enabled", name="Never enabled", cron="0 2 * * *")
"""


class Freezer(Protocol):
    """What pytest-freezegun hands out."""

    def move_to(self, instant: str) -> None:
        """Set the clock."""


@pytest.fixture
def database(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, freezer: Freezer
) -> Iterator[Database]:
    """An installation with two schedules, of which one is on since 01:50."""
    package = tmp_path / "frozen_definitions"
    package.mkdir()
    (package / "__init__.py").write_text(DEFINITIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "tick.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("TICK_DATABASE_URL", f"sqlite:///{tmp_path}/tick.db")
    monkeypatch.setenv("TICK_DEFINITIONS", "frozen_definitions")
    database = Database(f"sqlite:///{tmp_path}/tick.db")
    schema.check_schema(database)
    freezer.move_to("2026-03-01 01:50:00")
    tick.tick()
    switches.enable_schedule(
        database, Act(datetime(2026, 3, 1, 1, 50, tzinfo=UTC), Author("t")), "daily-full-sync"
    )
    yield database
    database.close()


def ledger(database: Database) -> list[tuple[str, str]]:
    o = occurrence.c
    with database.read.connect() as connection:
        rows = connection.execute(sa.select(o.schedule_id, o.outcome).order_by(o.id))
        return [(row.schedule_id, row.outcome) for row in rows]


def test_nothing_fires_a_minute_early_and_one_occurrence_at_its_minute(
    database: Database, freezer: Freezer
) -> None:
    freezer.move_to("2026-03-01 01:59:00")
    assert tick.tick().fired == []
    freezer.move_to("2026-03-01 02:00:00")
    fired = tick.tick().fired
    assert [(line.schedule_id, line.runs) for line in fired] == [("daily-full-sync", 2)]
    assert tick.tick().fired == []
    assert ledger(database) == [("daily-full-sync", "QUEUED")]
    with database.read.connect() as connection:
        runs = connection.execute(sa.select(job_run).order_by(job_run.c.id)).all()
    assert [run.job_name for run in runs] == ["content-features", "match-scores"]
    assert {(run.trigger, run.schedule_id) for run in runs} == {("CRON", "daily-full-sync")}
    assert runs[0].run_metadata["scheduledFor"] == "2026-03-01T02:00:00Z"


def test_back_after_an_outage_nothing_fires_and_the_ledger_says_missed(
    database: Database, freezer: Freezer
) -> None:
    freezer.move_to("2026-03-01 02:05:00")
    result = tick.tick()
    assert result.fired == []
    assert [line.outcome for line in result.not_fired] == ["MISSED"]
    assert ledger(database) == [("daily-full-sync", "MISSED")]


def test_the_trigger_that_is_two_minutes_late_is_in_time(
    database: Database, freezer: Freezer
) -> None:
    freezer.move_to("2026-03-01 02:02:00")
    assert tick.tick().fired[0].late_seconds == MIN_GRACE_SECONDS


def test_a_database_that_was_never_migrated_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICK_DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(tick.TickError, match="tick db upgrade"):
        tick.tick()
