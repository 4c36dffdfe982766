"""Requests made up from the OpenAPI document, valid and not: each is answered as it says there.

Nothing that may be asked makes the server fail, answer with what the document does not name, or
write for somebody who may only read. The requests are the same in each run; the soak makes more.
"""

from collections.abc import Iterator
from contextlib import suppress

import pytest
import schemathesis
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.factories import World
from tests.webapp.api.conftest import make_token
from tests.webapp.scenes import SETTINGS
from tick.runtime import Runtime
from tick.states import Role
from tick.store.tables import api_token, metadata, pace
from webapp import create_app

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# What stands in the small system; made-up ids find nothing.
PLACES = {
    "schedule_id": "daily",
    "occurrence_id": 1,
    "run_id": 1,
    "job_name": "match-scores",
    "group": "matching",
    "queue": "default",
}
FEW, MANY = 3, 100
Requests = SearchStrategy[Case]


@pytest.fixture
def app(world: World) -> Flask:
    """A console whose pace is no obstacle, and that lets nobody wait for a log."""
    brisk = SETTINGS.model_copy(update={"actions_a_minute": 10_000, "log_streams": 0})
    return create_app(Runtime(brisk, world.database))


@pytest.mark.parametrize("who", [*Role, "bad token", "nobody"])
def test_every_request_is_answered_as_the_document_says(app: Flask, world: World, who: str) -> None:
    answer_all(app, world, who, FEW)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("who", [*Role, "bad token", "nobody"])
def test_many_requests_are_answered_as_the_document_says(
    app: Flask, world: World, who: str
) -> None:
    answer_all(app, world, who, MANY)


def credentials(world: World, who: str) -> dict[str, str]:
    """What an admin, a viewer, somebody with a bad token, or nobody sends."""
    if who == "nobody":
        return {}
    text = "tick_made-up" if who == "bad token" else make_token(world, "p", Role(who), world.now)
    return {"Authorization": f"Bearer {text}"}


def answer_all(app: Flask, world: World, who: str, count: int) -> None:
    """Send `count` requests of each sort to each operation; only an admin's may write."""
    headers = credentials(world, who)
    before = everything(world)
    failures = []
    for cases in requests_of_each_sort(app, count):
        try:
            for case in cases:
                case.call_and_validate(app=app, headers=headers, checks=CHECKS)
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise ExceptionGroup(f"{len(failures)} operations do not hold to the document", failures)
    if who != Role.ADMIN:
        assert everything(world) == before


_drawn: dict[int, list[list[Case]]] = {}


def requests_of_each_sort(app: Flask, count: int) -> list[list[Case]]:
    """Draw `count` requests of each sort to each operation, or return those drawn before.

    Everybody sends the same ones, and to draw them takes longer than to answer them.
    """
    if count not in _drawn:
        schema = schemathesis.openapi.from_wsgi("/api/admin/openapi.json", app)
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) > 30
        _drawn[count] = [
            draw(requests, count) for operation in operations for requests in sorts(operation)
        ]
    return _drawn[count]


def sorts(operation: APIOperation) -> Iterator[Requests]:
    """Valid requests on what is there, valid ones on anything, and others."""
    names = {parameter.name for parameter in operation.path_parameters}
    places = {name: value for name, value in PLACES.items() if name in names}
    if names == places.keys():
        yield operation.as_strategy(path_parameters=places or None)
    if names:
        yield operation.as_strategy()
    if list(operation.iter_parameters()) or operation.body:
        yield operation.as_strategy(GenerationMode.NEGATIVE)


def draw(requests: Requests, count: int) -> list[Case]:
    """So many of them, or fewer if there are not so many."""
    drawn: list[Case] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests)
    def each(case: Case) -> None:
        drawn.append(case)

    with suppress(Unsatisfiable):
        each()
    return drawn


def everything(world: World) -> dict[str, list[object]]:
    """All rows of all tables, but for how tokens and paces note their own use."""
    with world.database.read.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in metadata.sorted_tables
            if table not in (api_token, pace)
        }
