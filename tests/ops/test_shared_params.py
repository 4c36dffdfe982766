"""Parameters of many jobs at once: who takes which, and what is refused before anything runs."""

from datetime import date
from typing import Any, Literal

import pytest

from tests.support.factories import TESTER, World, a_job
from tick.engine.ledger.audit import Act
from tick.errors import InvalidParams
from tick.ops.actions import run_now
from tick.ops.actions.parameters import Field, check_params, read_form
from tick.ops.actions.shared_params import SharedField, read_shared_form, share_out, shared_fields


def fetch(days: int = 7, dry: bool = False, source: Literal["live", "file"] = "live") -> None:
    """Takes a number, a switch and a choice."""


def score(days: int, limit: float = 0.5, since: date | None = None) -> None:
    """Must be told the number."""


def label(limit: str = "all") -> None:
    """Calls something else by the same name."""


def anything(**given: Any) -> None:
    """Takes whatever there is."""


JOBS = [a_job("fetch", function=fetch), a_job("score", function=score), a_job("tidy")]


@pytest.fixture
def team(world: World) -> World:
    """Three jobs of a group: one must be told `days`, one takes nothing."""
    world.define(jobs=JOBS)
    return world


def order(world: World, **params: Any) -> dict[str, Any]:
    run_now.run_group(
        world.database, Act(world.now, TESTER), "matching", world.registry, params=params
    )
    return {run.job_name: run.params for run in world.runs()}


def test_each_job_takes_what_its_signature_names(team: World) -> None:
    assert order(team, days=3, dry=True) == {
        "fetch": {"days": 3, "dry": True},
        "score": {"days": 3},
        "tidy": {},
    }


def test_what_no_job_takes_is_refused_and_nothing_runs(team: World) -> None:
    with pytest.raises(InvalidParams) as refused:
        order(team, days=3, dayz=4)
    assert str(refused.value) == (
        "dayz: none of these jobs takes it (fetch takes days, dry, source; "
        "score takes days, limit, since)."
    )
    assert team.runs() == []


def test_what_one_job_would_refuse_is_said_by_its_name(team: World) -> None:
    with pytest.raises(InvalidParams) as refused:
        order(team, limit="much")
    assert list(refused.value.problems) == ["days", "limit"]
    assert refused.value.problems["days"] == "score: Field required"
    assert refused.value.problems["limit"].startswith("score: Input should be a valid number")
    assert team.runs() == []


def test_all_jobs_share_them_in_the_same_way(team: World) -> None:
    run_now.run_all(team.database, Act(team.now, TESTER), team.registry, params={"days": 1})
    assert [run.params for run in team.runs()] == [{"days": 1}, {"days": 1}, {}]


def test_a_job_with_free_keywords_takes_all_of_them() -> None:
    jobs = [a_job("anything", function=anything), JOBS[0]]
    assert share_out(jobs, {"days": 1, "other": 2}) == {
        "anything": {"days": 1, "other": 2},
        "fetch": {"days": 1},
    }


def test_jobs_without_parameters_take_none() -> None:
    with pytest.raises(InvalidParams, match="none of these jobs takes it, nor any other"):
        share_out([a_job("tidy")], {"days": 1})


def test_their_parameters_are_one_form() -> None:
    days, dry, source, limit, since = shared_fields([*JOBS, a_job("label", function=label)])
    assert days == SharedField(Field("days", "integer", required=True), ("fetch", "score"))
    assert dry == SharedField(Field("dry", "boolean", required=False, nullable=True), ("fetch",))
    assert source.field.choices == ("live", "file")
    assert limit == SharedField(
        Field("limit", "json", required=False, nullable=True), ("score", "label")
    )
    assert since.field.kind == "date"


def test_what_is_left_empty_is_not_given() -> None:
    given = {"days": "3", "dry": "false", "source": "", "limit": "1.5", "since": "2026-03-01"}
    assert read_shared_form(JOBS, given) == {
        "days": 3,
        "dry": False,
        "limit": 1.5,
        "since": "2026-03-01",
    }


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("half: \ud800", "NUL or half a character"),
        ([{"a\0b": 1}], "NUL or half a character"),
        (float("nan"), "as JSON"),
    ],
)
def test_what_no_database_stores_is_refused_and_nothing_runs(
    team: World, value: object, why: str
) -> None:
    team.define(jobs=[a_job("anything", function=anything)])
    with pytest.raises(InvalidParams, match=why):
        order(team, given=value)
    assert team.runs() == []
    order(team, given="a backslash and no NUL: \\u0000")
    assert len(team.runs()) == 1


def test_a_number_that_is_not_finite_is_refused_by_every_form() -> None:
    assert read_form(score, {"days": "3", "limit": "0.25"}) == {"days": 3, "limit": 0.25}
    given = {"days": "3", "limit": "NaN"}
    for params in (read_form(score, given), read_shared_form(JOBS[1:2], given)):
        with pytest.raises(InvalidParams, match="cannot be stored as JSON"):
            check_params(score, params)


def test_a_number_that_is_none_is_left_to_the_jobs_to_refuse() -> None:
    for text in ("many", "true", "null", "[]"):
        assert read_shared_form(JOBS, {"days": text}) == {"days": text}
    with pytest.raises(InvalidParams, match="limit: This is not JSON"):
        read_shared_form([*JOBS, a_job("label", function=label)], {"limit": "{"})


def test_repeated_requests_are_recognised_with_any_kind_of_parameter(
    team: World,
) -> None:
    team.define(jobs=[a_job("anything", function=anything)])
    found = [
        run_now.run_job(
            team.database,
            Act(team.now, TESTER, key="k1"),
            "anything",
            team.registry,
            params={"ids": (1, 2)},
        )
        for _ in range(2)
    ]
    assert found[0] == found[1]
