"""Every list takes a small number of statements that does not grow with its rows."""

from tests.support.factories import World, a_schedule
from tests.support.plans import recorded
from tests.webapp.api.client import Program
from tests.webapp.conftest import JOBS

MOST = 8
PATHS = [
    "/schedules",
    "/schedules/daily",
    "/schedules/daily/history",
    "/schedules/daily/history?include=logs",
    "/schedules/daily/statistics",
    "/schedules/daily/versions",
    "/scheduler/status",
    "/scheduler/upcoming",
    "/jobs",
    "/occurrences",
    "/occurrences/1",
    "/runs",
    "/runs/1",
    "/runs/1/logs",
    "/workers",
    "/queues",
    "/audit",
]


def test_lists_take_as_many_statements_for_many_rows_as_for_few(
    world: World, admin: Program
) -> None:
    admin.post("/schedules/daily/trigger")
    few = {path: statements(world, admin, path) for path in PATHS}
    world.define(
        a_schedule("daily"), *(a_schedule(f"s{number}") for number in range(40)), jobs=JOBS
    )
    for number in range(20):
        admin.post(f"/schedules/s{number}/trigger")
    assert {path: statements(world, admin, path) for path in PATHS} == few
    assert max(few.values()) <= MOST, few


def statements(world: World, program: Program, path: str) -> int:
    """How many statements the answer takes, the token's look-up with it."""
    with recorded(world.database) as sent:
        program.get(path)
    return len([each for each in sent if "BEGIN" not in each.statement])
