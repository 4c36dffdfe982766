"""What people ask for takes an index to what it shows, however long the history is."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from tests.support.factories import World
from tests.support.long_history import make_long_history
from tests.support.plans import pretend_long, recorded, walks
from tests.support.proofs import prove
from tests.webapp.api.client import Program
from tests.webapp.api.conftest import make_token
from tests.webapp.scenes import SETTINGS, add_people
from tests.webapp.visitor import Visitor
from tick.states import Role
from tick.store.database import Database
from webapp import create_app

DAY = timedelta(days=1)
OFTEN = "every-0001-00"
PAGES = [
    "/",
    "/workers",
    "/schedules",
    f"/schedules/{OFTEN}",
    f"/schedules/{OFTEN}?show=failed",
    f"/schedules/{OFTEN}?show=not-fired",
    f"/schedules/{OFTEN}?show=fired",
    f"/schedules/{OFTEN}?show=not-fired&before=900",
    f"/schedules/{OFTEN}?day=2020-01-01",
    f"/schedules/{OFTEN}/run",
    "/runs",
    "/runs?before=900",
    "/runs?status=RUNNING",
    "/runs?status=QUEUED",
    "/runs?status=QUEUED&before=900",
    "/runs?status=FAILED",
    "/runs?status=CANCELLED",
    "/runs?q=nowhere",
    "/runs?q=worker:nobody",
    "/jobs",
    "/jobs/job-03",
    "/stats",
    "/stats?window=90d",
    "/upcoming",
    "/upcoming?span=7d",
    "/alerts",
    "/occurrences/1",
    "/runs/4",
]
OLD = "2020-01-01T00:00:00Z"
ASKED = [
    "/occurrences",
    *(f"/occurrences?outcome={each}" for each in ("MISSED", "QUEUED", "SUCCESS", "HELD")),
    f"/occurrences?schedule={OFTEN}&outcome=MISSED",
    "/runs?status=RUNNING",
    f"/schedules/{OFTEN}/why?at={OLD}",
    "/workers",
]
Look = Callable[[], object]


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """A day of sixty schedules, which the planner takes for seventy-two: about a million runs."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    made = make_long_history(database, midnight - DAY, days=1)
    made.settings = SETTINGS
    add_people(database, made.now)
    return made


def looks(world: World) -> Iterator[tuple[str, Look]]:
    """What to look at, by the words that name it."""
    app = create_app(world.runtime)
    ada = Visitor(app).log_in("ada")
    program = Program(app, make_token(world, "reader", Role.VIEWER, world.now))
    for path in PAGES:
        yield path, partial(ada.page, path)
    for path in ASKED:
        yield f"api {path}", partial(program.get, path)
    yield "a proof", lambda: list(prove(world.database, world.now - DAY, world.now))


@pytest.fixture(autouse=True)
def short_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no index serves is looked for among so many rows that few are left out here."""
    monkeypatch.setattr("tick.ops.queries.id_ranges.SEARCHED", 500)


def test_nothing_that_people_read_goes_through_the_history(world: World) -> None:
    database, wanted = world.database, list(looks(world))
    found = []
    # Without statistics of its own SQLite chooses otherwise; PostgreSQL gathers them by itself.
    known = ("none", "many") if database.url.get_backend_name() == "sqlite" else ("many",)
    for statistics in known:
        if statistics == "many":
            pretend_long(database, 72)
        for name, look in wanted:
            with recorded(database) as sent:
                look()
            steps = {step for each in sent for step in walks(database, each)}
            found += [f"{name}, statistics: {statistics}: {step}" for step in sorted(steps)]
    assert not found, "\n".join(found)
