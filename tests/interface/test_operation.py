"""An operation is declared by its signature, and bound from plain values."""

from typing import Any, NoReturn

import pytest
from pydantic import Field

from tick.errors import InvalidInput, Refused
from tick.interface.inputs import Body, Instant, Query, arguments_of, onward
from tick.interface.operation import Context, Resource
from tick.interface.permissions import ROLES, Permission, least_role
from tick.interface.table import OPERATIONS
from tick.ops.schemas import Schema
from tick.states import Role

resource = Resource("things", "What the tests ask for.")


class Which(Query):
    """Selects things."""

    count: int = Field(5, ge=1)


class Change(Body):
    """How to change a thing."""

    at: Instant
    reason: str | None = None


class Thing(Schema):
    """A thing."""

    said: str


@resource.get("/things/<id:number>/of/<owner>")
def list_things(context: Context, number: int, owner: str, query: Which) -> Thing:
    """List things.

    And more.
    """
    return Thing(said=f"{number} {owner} {query.count}")


@resource.post("/things/<owner>/change", Permission.QUEUE_EDIT, status=202)
def change_thing(
    context: Context, owner: str, body: Change, key: str | None, revision: str | None
) -> Thing:
    """Change a thing."""
    return Thing(said=f"{owner} {body.reason} {key} {revision}")


@resource.delete("/things/<owner>", Permission.QUEUE_EDIT)
def delete_thing(context: Context, owner: str) -> NoReturn:
    """Refused."""
    raise Refused("no")


AT: Any = "2026-03-01T02:00:00Z"


def test_what_an_operation_takes_is_read_from_its_signature() -> None:
    assert (list_things.name, list_things.method, list_things.status) == ("list_things", "GET", 200)
    assert list_things.summary == "List things."
    assert list_things.ids == {"number": int, "owner": str}
    assert (list_things.query, list_things.body, list_things.output) == (Which, None, Thing)
    assert list_things.reads and not (list_things.takes_key or list_things.takes_revision)
    assert change_thing.named == {"owner", "key", "revision"}
    assert not change_thing.reads
    assert delete_thing.output is None
    assert resource.operations == [list_things, change_thing, delete_thing]


def test_its_path_is_written_with_any_values() -> None:
    assert list_things.place("{{{}}}".format) == "/things/{number}/of/{owner}"


def test_plain_values_become_its_parameters_and_none_counts_as_not_given() -> None:
    given = list_things.bind({"number": "7", "owner": "ada", "count": None})
    assert given == {"number": 7, "owner": "ada", "query": Which(count=5)}
    at = Change.model_validate_json(f'{{"at": "{AT}"}}').at
    given = change_thing.bind({"owner": "ada", "at": at, "key": "k", "reason": None})
    assert given["body"].model_fields_set == {"at"}
    assert (given["key"], given["revision"]) == ("k", None)


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"number": 0, "owner": "ada"}, "path.number"),
        ({"number": "x", "owner": "ada"}, "path.number"),
        ({"number": 1, "owner": "ada", "count": 0}, "query.count"),
        ({"number": 1, "owner": "ada", "cuont": 1}, "query.cuont"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_place(
    arguments: dict[str, Any], where: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        list_things.bind(arguments)
    assert [place for place, _ in refusal.value.mistakes] == [where]
    assert str(refusal.value).startswith(f"Some values do not fit:\n  - {where}: ")


def test_a_body_takes_nothing_by_guessing() -> None:
    with pytest.raises(InvalidInput, match=r"body\.at"):
        change_thing.bind({"owner": "ada", "at": AT})


def test_an_argument_that_has_no_place_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="takes no color"):
        delete_thing.bind({"owner": "ada", "color": "red"})


def test_the_next_of_a_page_holds_the_arguments_that_lead_on() -> None:
    assert onward(before=None) is None
    assert arguments_of(onward(since="a b", until="ü") or "") == {"since": "a b", "until": "ü"}
    assert arguments_of("/console/api/admin/runs?job=a&before=3") == {"job": "a", "before": "3"}


def test_every_permission_is_held_by_somebody_and_a_viewer_only_reads() -> None:
    assert ROLES[Role.ADMIN] == frozenset(Permission)
    assert ROLES[Role.VIEWER] == {Permission.READ}
    assert least_role(Permission.READ) is Role.VIEWER
    assert least_role(Permission.SCHEDULE_RUN) is Role.ADMIN
    assert ROLES.keys() == set(Role)


def test_names_of_operations_and_of_paths_are_unique() -> None:
    places = {(each.method, each.path) for each in OPERATIONS.values()}
    assert len(places) == len(OPERATIONS)
    for operation in OPERATIONS.values():
        assert not (operation.query and operation.body), operation.name
        assert operation.method != "GET" or operation.reads
