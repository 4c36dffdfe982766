"""What a page costs to fetch: few bytes, few statements, however much there is behind it."""

import gzip
import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape

import pytest

from tests.support.factories import World
from tests.support.plans import recorded
from tests.webapp.crowd import SCHEDULES, fill
from tests.webapp.test_statements import MOST, about_data
from tests.webapp.visitor import Visitor
from tick.store.database import Database
from webapp import create_app

KIB = 1024
MOST_OF_A_PAGE = 100 * KIB
MOST_OF_THE_FIRST = 120 * KIB
LISTS = [
    "/",
    "/schedules",
    "/schedules/schedule-07",
    "/runs",
    "/runs?status=FAILED",
    "/runs?q=partner+since:24h",
    "/upcoming",
    "/upcoming?span=7d",
    "/upcoming?span=month",
    "/audit",
    "/jobs",
    "/stats",
]


@pytest.fixture
def crowd(database: Database, now: datetime) -> World:
    """Fifty schedules that have fired eighty times each."""
    return fill(database, now, runs=16_000)


@pytest.fixture
def visitor(crowd: World) -> Iterator[Visitor]:
    """Ada in front of it."""
    return Visitor(create_app(crowd.runtime)).log_in("ada")


def test_each_list_with_fifty_schedules_is_light(crowd: World, visitor: Visitor) -> None:
    assert visitor.page("/schedules").count('role="switch"') == SCHEDULES
    for path in LISTS:
        with recorded(crowd.database) as sent:
            page = visitor.page(path)
        assert len(page.encode()) <= MOST_OF_A_PAGE, path
        assert len(about_data(sent)) <= MOST, (path, sent)


def test_the_first_page_with_all_its_files_is_light(crowd: World, visitor: Visitor) -> None:
    page = visitor.get("/", Accept_Encoding="gzip")
    files = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.text))
    assert len(files) >= 6
    sizes = {path: len(visitor.get(unescape(path), Accept_Encoding="gzip").data) for path in files}
    assert len(page.data) + sum(sizes.values()) <= MOST_OF_THE_FIRST, sizes


def test_static_files_are_compressed_for_those_who_can_read_it(visitor: Visitor) -> None:
    plain = visitor.get("/static/theme.css")
    packed = visitor.get("/static/theme.css", Accept_Encoding="gzip, br")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.vary
    assert "Accept-Encoding" in plain.vary
    assert gzip.decompress(packed.data) == plain.data
    tag = packed.headers["ETag"]
    again = visitor.get("/static/theme.css", Accept_Encoding="gzip", If_None_Match=tag)
    assert again.status_code == 304


def test_a_page_that_holds_a_form_token_is_never_compressed_with_it(visitor: Visitor) -> None:
    page = visitor.get("/schedules", Accept_Encoding="gzip")
    assert "csrf_token" in page.text
    assert "Content-Encoding" not in page.headers
