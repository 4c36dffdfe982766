"""Every page takes a small number of statements that does not grow with its rows."""

from tests.support.factories import World, a_schedule
from tests.support.plans import Sent, recorded
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor

MOST = 8
PAGES = [
    "/",
    "/schedules",
    "/schedules/daily",
    "/schedules/daily/enable",
    "/schedules/daily/pause",
    "/schedules/daily/resume",
    "/occurrences/1/retry",
    "/occurrences/1",
    "/runs",
    "/runs/1",
    "/runs/1?at=1",
    "/runs/1?q=nothing",
    "/runs/1/tail?after=0",
    "/jobs",
    "/jobs?view=graph",
    "/jobs/match-scores",
    "/jobs/match-scores/run",
    "/groups/matching/run",
    "/run-all",
    "/occurrences/1?view=graph",
    "/occurrences/1/cancel",
    "/scheduler/dry-run",
    "/audit",
    "/users",
    "/upcoming",
    "/upcoming?span=7d",
    "/upcoming.ics",
    "/workers",
    "/alerts",
    "/alerts/mute",
    "/stats",
    "/stats?window=24h&job=match-scores",
]


def test_pages_take_as_many_statements_for_many_rows_as_for_few(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    ada.page("/schedules")  # the console remembers rates for a minute
    few = {path: _statements(world, ada, path) for path in PAGES}
    world.define(
        a_schedule("daily"), *(a_schedule(f"s{number}") for number in range(40)), jobs=JOBS
    )
    for number in range(20):
        ada.post(f"/schedules/s{number}/run")
    ada.page("/schedules")
    many = {path: _statements(world, ada, path) for path in PAGES}
    assert many == few
    assert {path: count for path, count in many.items() if count > MOST} == {}
    assert max(len(ada.get(path).data) for path in PAGES) < 100 * 1024


def about_data(sent: list[Sent]) -> list[Sent]:
    """Those that read or write rows: neither BEGIN nor the question for PostgreSQL's clock."""
    others = ("BEGIN", "clock_timestamp")
    return [each for each in sent if not any(other in each.statement for other in others)]


def _statements(world: World, visitor: Visitor, path: str) -> int:
    with recorded(world.database) as sent:
        visitor.get(path)
    return len(about_data(sent))
