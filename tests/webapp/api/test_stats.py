"""Statistics by the API."""

from datetime import timedelta

import pytest

from tests.support.factories import World
from tests.webapp.api.client import Program


@pytest.fixture
def busy(world: World) -> World:
    """The hourly schedule fired once, and failed."""
    world.enable("hourly")
    world.tick(world.now.replace(minute=0, second=3, microsecond=0) + timedelta(hours=1))
    world.finish_runs("FAILED")
    return world


@pytest.mark.usefixtures("busy")
def test_they_tell_of_jobs_schedules_and_periods(viewer: Program) -> None:
    found = viewer.get("/stats?window=7d&timezone=Europe/Paris")
    assert len(found["periods"]) == 8
    assert {job["job_name"]: job["failed"] for job in found["jobs"]} == {
        "compatibility": 1,
        "match-scores": 1,
    }
    (schedule,) = found["schedules"]
    assert (schedule["schedule_id"], schedule["failed"], schedule["on_time"]) == ("hourly", 1, 1)
    assert found["last_day"]["runs"]["failed"] == 2
    assert (found["schedules_on"], found["schedules_off"]) == (1, 1)


@pytest.mark.usefixtures("busy")
def test_they_may_be_of_one_job_or_schedule(viewer: Program) -> None:
    assert len(viewer.get("/stats?job=match-scores")["jobs"]) == 1
    assert viewer.get("/stats?schedule=daily")["schedules"] == []


@pytest.mark.parametrize("query", ["window=1y", "days=3", "job="])
def test_what_does_not_fit_is_refused(viewer: Program, query: str) -> None:
    assert viewer.refused(422, "GET", f"/stats?{query}").mistakes


def test_a_zone_that_does_not_exist_is_told_with_one_that_does(viewer: Program) -> None:
    response = viewer.ask("GET", "/stats?timezone=Europe/Pariss")
    assert response.status_code in (409, 422)
    assert "Europe/Paris" in response.text


def test_nobody_reads_them_without_a_token(nobody: Program) -> None:
    nobody.refused(401, "GET", "/stats")


def test_an_occurrence_at_work_has_a_forecast_and_one_that_ended_has_none(
    viewer: Program, world: World, run_id: int
) -> None:
    occurrence = viewer.get(f"/runs/{run_id}")["run"]["occurrence_id"]
    expected = viewer.get(f"/occurrences/{occurrence}/forecast")["expected"]
    assert expected["unknown"] == ["compatibility", "content-features", "match-scores"]
    world.finish_runs()
    assert viewer.get(f"/occurrences/{occurrence}/forecast") == {"expected": None}
    viewer.refused(404, "GET", "/occurrences/999/forecast")
