"""A filter with a mistake in it shows nothing and acts on nothing, wherever there is a filter."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask import Flask

from tests.support.factories import World
from tests.webapp.test_every_route import routes
from tests.webapp.visitor import Visitor
from tick.errors import InvalidFilter
from webapp.access.permissions import NEEDED
from webapp.query import declared_readers
from webapp.run_search import read_search

# Longer than any text that is taken, and neither number, day, month, instant nor choice.
NONSENSE = "x" * 101
WRONG = {"q": f"status:runing {NONSENSE}"}
ROWS = '<table class="table'


def pages(app: Flask) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Endpoint and path of every page that somebody inside may ask for, and what it takes."""
    for endpoint, method, path in routes(app, NEEDED):
        if method == "GET":
            path = "/audit.csv" if endpoint == "audit.export" else path
            yield endpoint, path, declared_readers(app.view_functions[endpoint])


def test_no_page_takes_a_filter_that_it_does_not_know(app: Flask, ada: Visitor) -> None:
    for endpoint, path, _ in pages(app):
        answer = ada.get(f"{path}?stauts=FAILED")
        assert (endpoint, answer.status_code) == (endpoint, 422)
        assert "There is no stauts to filter by" in answer.text


def test_no_page_takes_a_value_that_it_does_not_understand(app: Flask, ada: Visitor) -> None:
    for endpoint, path, taken in pages(app):
        for name in taken:
            answer = ada.get(f"{path}?{name}={WRONG.get(name, NONSENSE)}")
            assert (endpoint, name, answer.status_code) == (endpoint, name, 422)
            assert f"{name}=" in answer.text


def test_no_page_takes_a_filter_twice(ada: Visitor) -> None:
    for path in ("/runs", "/runs/bulk"):
        answer = ada.get(f"{path}?status=FAILED&status=QUEUED")
        assert (answer.status_code, "status is given 2 times" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/runs?q=status:runing", "did you mean running?"),
        ("/runs?status=FIALED", "did you mean failed?"),
        ("/runs?since=yesterday", "write 30m, 24h, 7d"),
        ("/runs?before=-1", "it is a number"),
        ("/audit?since=yesterday", "write 30m, 24h, 7d"),
        ("/audit?actr=ada", "did you mean actor?"),
        ("/alerts?rule=mised", "did you mean missed?"),
        ("/alerts?schedule=dayly", "did you mean daily?"),
    ],
)
def test_the_mistake_stands_in_the_place_of_the_rows_above_it_the_form(
    world: World, ada: Visitor, path: str, told: str
) -> None:
    ada.post("/schedules/daily/run")
    answer = ada.get(path)
    assert (answer.status_code, told in answer.text) == (422, True)
    assert "Nothing is shown: the filter has a mistake" in answer.text
    assert 'role="search"' in answer.text
    assert ROWS not in answer.text
    assert "All that match" not in answer.text
    assert "Nothing is wrong" not in answer.text


def test_each_mistake_of_a_line_is_told_once_and_in_a_sentence_of_its_own(ada: Visitor) -> None:
    told = ada.get("/runs?q=status:runing+colour:red").text
    assert "<p>status:runing is not understood; did you mean running?" in told
    assert "<p>There is no colour: to search by;" in told
    assert ".." not in told.partition("Nothing is shown")[2].partition("</section>")[0]
    assert "2 mistakes" in told


@pytest.mark.parametrize("deed", ["retry", "cancel"])
@pytest.mark.parametrize("mistake", ["q=status:runing", "status=RUNING", "stauts=RUNNING"])
def test_all_that_match_a_mistyped_filter_are_none(
    world: World, ada: Visitor, deed: str, mistake: str
) -> None:
    ada.post("/schedules/daily/run")
    answer = ada.get(f"/runs/bulk?do={deed}&which=all&{mistake}")
    assert answer.status_code == 422
    assert 'name="runs"' not in answer.text


def test_a_search_that_was_not_understood_gives_no_filter_to_act_by(world: World) -> None:
    with pytest.raises(InvalidFilter, match="did you mean running"):
        read_search("status:runing", {}, now=world.now, zone=world.now.tzinfo)


def test_an_export_of_the_audit_by_a_mistyped_filter_holds_nothing(ada: Visitor) -> None:
    answer = ada.get("/audit.csv?since=yesterday")
    assert (answer.status_code, answer.mimetype) == (422, "text/html")


def test_a_filter_of_spaces_is_none(ada: Visitor) -> None:
    assert ada.get("/runs?job=%20").status_code == 200
