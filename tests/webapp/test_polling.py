"""Live regions: nothing new costs nothing, something new comes at once."""

import re

import pytest

from tests.support.factories import World
from tests.webapp.visitor import Visitor


def _poll(visitor: Visitor, path: str, tag: str) -> int:
    return visitor.get(path, HX_Request="true", HX_Source="div#live", HX_PTag=tag).status_code


@pytest.mark.parametrize(
    "path", ["/", "/schedules", "/schedules/daily", "/runs", "/jobs", "/workers"]
)
def test_an_unchanged_region_is_304_until_something_happens(
    world: World, ada: Visitor, path: str
) -> None:
    tag = re.search(r'hx-ptag="([^"]+)"', ada.page(path))
    assert tag
    assert _poll(ada, path, tag[1]) == 304
    assert _poll(ada, path, "another") == 200
    ada.post("/schedules/daily/run")
    assert _poll(ada, path, tag[1]) == 200


def test_a_region_that_can_change_no_more_stops_asking(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    assert "data-live" in ada.page("/occurrences/1")
    world.finish_runs()
    assert "data-live" not in ada.page("/occurrences/1")
    assert "data-live" not in ada.page("/runs/1")


def test_an_action_by_htmx_is_answered_with_the_page_whatever_its_tag(ada: Visitor) -> None:
    response = ada.get("/schedules", HX_Request="true", HX_Source="form", HX_PTag="x")
    assert response.status_code == 200
    assert 'id="page"' in response.text
