"""The console on a small system, and people in front of it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import pytest
import sqlalchemy as sa
from flask import Flask
from pydantic import Field

from tests.support.factories import World, a_job, a_schedule
from tests.webapp.scenes import SETTINGS, add_people
from tests.webapp.visitor import Visitor
from tick import clock
from tick.ops.queries import logs, runs
from tick.store.database import Database
from tick.store.tables import job_log, job_run
from webapp import create_app


def match_scores(
    keep: Annotated[int, Field(ge=1)] = 25,
    depth: Literal["full", "quick"] = "full",
    dry: bool = False,
    since: date | None = None,
    weights: dict[str, float] | None = None,
    names: tuple[str | None, ...] = (),
) -> None:
    """A job with parameters of every kind."""


JOBS = (
    a_job("content-features", group="search"),
    a_job("match-scores", depends_on=["content-features"], function=match_scores),
    a_job("compatibility", depends_on=["match-scores"]),
)
SCHEDULES = (
    a_schedule("daily", name="Daily Full Sync", description="Every job once"),
    a_schedule(
        "hourly", name="Hourly Matching", cron="0 * * * *", mode="GROUP", job_group="matching"
    ),
)


@pytest.fixture
def now() -> datetime:
    """The instant it is: the console asks the real clock."""
    return clock.now()


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """Two schedules that are off, three jobs, Ada and Vic."""
    world = World(database, now=now - timedelta(hours=8), settings=SETTINGS)
    world.define(*SCHEDULES, jobs=JOBS)
    add_people(database, world.now)
    return world


@pytest.fixture
def app(world: World) -> Flask:
    """The console of that system."""
    return create_app(world.runtime)


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(app)


@pytest.fixture
def ada(app: Flask) -> Visitor:
    """An administrator, signed in."""
    return Visitor(app).log_in("ada")


@pytest.fixture
def vic(app: Flask) -> Visitor:
    """Somebody who may only look, signed in."""
    return Visitor(app).log_in("vic")


@pytest.fixture
def failed_run(world: World, ada: Visitor) -> int:
    """A run that failed with a traceback; its id."""
    ada.post("/schedules/daily/run")
    run = world.runs()[0]
    values = {
        "status": "FAILED",
        "started_at": world.now,
        "finished_at": world.now,
        "attempt": 1,
        "error_type": "KeyError",
        "error_message": "'tempo'",
        "error_traceback": "Traceback (most recent call last):\nKeyError: 'tempo'",
    }
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == run.id).values(values))
    return int(run.id)


@pytest.fixture
def last_words(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """To be called when run 1 is to say something and end between the two reads of a look."""
    waiting: list[str] = []

    def then_ends(read: Callable[..., Any]) -> Callable[..., Any]:
        def reads(*what: Any, **how: Any) -> Any:
            found = read(*what, **how)
            if waiting:
                waiting.clear()
                line = {"run_id": 1, "attempt": 1, "at": world.now, "level": "info"}
                with world.database.write.begin() as connection:
                    said = sa.insert(job_log).values(**line, message="the last words")
                    connection.execute(said)
                world.finish_runs()
            return found

        return reads

    monkeypatch.setattr(runs, "get_run", then_ends(runs.get_run))
    monkeypatch.setattr(logs, "lines_after", then_ends(logs.lines_after))
    return lambda: waiting.append("for the first read")
