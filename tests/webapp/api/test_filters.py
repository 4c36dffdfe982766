"""A filter with a mistake in it is answered by its place and what to write, and by nothing else."""

import pytest
from pydantic import BaseModel

from tests.webapp.api.client import Program
from tests.webapp.test_every_route import VALUES
from tick.interface.operation import Operation
from tick.interface.table import OPERATIONS

NONSENSE = "x" * 501
IDS = {"alert": 1, "entry": 1, "mute": 1, "window": 1, **VALUES}


def path_of(operation: Operation[BaseModel]) -> str:
    """Its path, with a value for each name in it."""
    return operation.place(lambda name: str(IDS[name]))


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_operation_takes_a_filter_that_it_does_not_know(admin: Program, name: str) -> None:
    operation = OPERATIONS[name]
    path = f"{path_of(operation)}?stauts=FAILED"
    problem = admin.refused(422, operation.method, path)
    assert "query.stauts" in [mistake.where for mistake in problem.mistakes]


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if each.query])
def test_no_operation_takes_a_value_that_it_does_not_understand(admin: Program, name: str) -> None:
    operation = OPERATIONS[name]
    assert operation.query is not None
    for field in operation.query.model_fields:
        path = f"{path_of(operation)}?{field}={NONSENSE}"
        problem = admin.refused(422, operation.method, path)
        assert f"query.{field}" in [mistake.where for mistake in problem.mistakes]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("/runs?stauts=FAILED", "is not known here; did you mean status? it is one of status"),
        ("/alerts?rule=mised", "did you mean missed? it is one of"),
        ("/stats?timezone=Europe/Pariss", "'Europe/Paris'"),
        ("/queues?name=default", "is not known here: nothing is taken"),
    ],
)
def test_a_mistake_says_what_to_write(viewer: Program, query: str, told: str) -> None:
    (mistake,) = viewer.refused(422, "GET", query).mistakes
    assert told in mistake.problem
