"""Schedules made, edited, deleted and restored in the console, without a script."""

from tests.support.factories import World
from tests.webapp.visitor import Visitor, location

SYNC = {
    "name": "Daily Full Sync 2",
    "kind": "CRON",
    "cron": "0 2 * * *",
    "timezone": "UTC",
    "target": "ALL_JOBS",
    "missed": "SKIP",
    "overlap": "SKIP",
}


def test_a_schedule_is_made_by_a_plain_form(ada: Visitor, world: World) -> None:
    page = ada.page("/new-schedule")
    assert "When it fires" in page
    made = ada.post("/new-schedule", **SYNC)
    assert location(made) == "/schedules/daily-full-sync-2"
    assert world.schedule("daily-full-sync-2").source == "CUSTOM"
    assert not world.schedule("daily-full-sync-2").enabled
