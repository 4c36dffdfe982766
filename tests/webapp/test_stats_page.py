"""The Statistics page: figures, tables that plots are drawn from, and where they lead."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.visitor import Visitor
from tick.policy.histogram import LATE_BOUNDS
from tick.store.tables import occurrence_hour


@pytest.fixture
def busy(world: World) -> World:
    """Daily at work: one firing that succeeded, one that failed."""
    world.enable("hourly")
    for number, status in enumerate(("SUCCESS", "FAILED"), start=1):
        hour = world.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=number)
        world.tick(hour + timedelta(seconds=2))
        world.finish_runs(status)
    return world


def test_before_anything_ended_it_says_what_will_be_here(ada: Visitor) -> None:
    assert "Nothing ended in this time" in ada.page("/stats")


@pytest.mark.usefixtures("busy")
def test_it_says_how_much_went_well_and_leads_to_what_failed(vic: Visitor) -> None:
    page = vic.page("/stats")
    assert "50.0 %" in page
    assert re.search(r'href="/runs\?status=FAILED&amp;since=24h">2 runs</a>', page)
    assert "/runs?job=match-scores&amp;status=FAILED&amp;since=" in page
    shown = vic.page("/runs?status=FAILED&since=24h")
    assert shown.count("match-scores") >= 1


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("window", "periods"), [("24h", 24), ("7d", 8), ("30d", 31), ("90d", 13)])
def test_each_plot_is_a_table_with_a_row_for_each_period(
    vic: Visitor, window: str, periods: int
) -> None:
    page = vic.page(f"/stats?window={window}")
    figures = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert len(figures) == 4
    for figure in figures:
        body = figure.partition("<tbody>")[2]
        assert body.count("<tr>") == periods
        assert 'data-value="' in body


@pytest.mark.usefixtures("busy")
def test_a_job_and_a_schedule_have_figures_of_their_own(vic: Visitor) -> None:
    of_a_job = vic.page("/stats?job=match-scores")
    assert "Jobs</h2>" in of_a_job and "Schedules</h2>" not in of_a_job
    of_a_schedule = vic.page("/stats?schedule=hourly")
    assert "How long firings took" in of_a_schedule and "Jobs</h2>" not in of_a_schedule


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("query", ["job=%3Cscript%3E", "schedule=", "window="])
def test_missing_and_empty_values_are_no_reason_to_fail(vic: Visitor, query: str) -> None:
    page = vic.page(f"/stats?{query}")
    assert "<script>" not in page.replace('<script src="', "")


@pytest.mark.usefixtures("busy")
def test_days_are_those_of_the_viewers_zone(vic: Visitor) -> None:
    vic.client.set_cookie("zone", "mine")
    vic.client.set_cookie("browser_zone", "Pacific/Kiritimati")
    vic.page("/stats?window=7d")


def test_lengths_are_marked_exact_estimated_or_over_the_last_bound(
    world: World, vic: Visitor
) -> None:
    def cells(label: str) -> list[str]:
        table = vic.page("/stats").partition('id="schedules-title"')[2].partition("</table>")[0]
        return re.findall(rf'data-label="{label}"><span class="num">([^<]*)<', table)

    world.enable("hourly")
    hour = world.now.replace(minute=0, second=0, microsecond=0)
    world.tick(hour + timedelta(hours=1, minutes=1, seconds=40))
    world.finish_runs()
    assert cells("Late, 95 %") == ["1 min 40 s"]
    world.tick(hour + timedelta(hours=2, minutes=1, seconds=40))
    world.finish_runs()
    assert cells("Late, 95 %")[0].startswith("≈ ")
    world.tick(hour + timedelta(hours=2, minutes=8))
    with world.database.write.begin() as connection:
        beyond = {f"late_{number}": 0 for number in range(len(LATE_BOUNDS))}
        beyond[f"late_{len(LATE_BOUNDS)}"] = 1
        connection.execute(sa.update(occurrence_hour).values(**beyond))
    assert cells("Late, 95 %") == ["over 4 h"]


def test_strangers_see_nothing(stranger: Visitor) -> None:
    assert stranger.get("/stats").status_code in (302, 303)
