"""What a schedule names is what it runs, and nothing that it names is ignored."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.define.test_mistakes import mistakes
from tests.support.factories import a_job, a_schedule
from tick import command, job
from tick.define.jobs import ATTRIBUTE, JobDefinition
from tick.define.registry import build_registry
from tick.engine.schedules.diff import version_digest, version_texts
from tick.engine.schedules.targets import build_target


@job(group="feed")
def digest(limit: int = 10, since: str = "monday") -> None:
    """Takes two parameters."""


@job(group="feed")
def refund(order: int) -> None:
    """Can't run without its parameter."""


@job(group="open")
def anything(**options: Any) -> None:
    """Takes whatever it is given."""


def declared(function: Callable[..., object]) -> JobDefinition:
    definition: JobDefinition = getattr(function, ATTRIBUTE)
    return definition


JOBS = [
    a_job("scores"),
    a_job("views", depends_on=["scores"]),
    declared(digest),
    declared(anything),
]
PAIRS: list[tuple[dict[str, Any], str]] = [
    ({}, "ALL_JOBS"),
    ({"job": "scores"}, "SINGLE_JOB"),
    ({"job_group": "feed"}, "GROUP"),
    ({"jobs": ["scores", "views"]}, "CUSTOM"),
]


@pytest.mark.parametrize(("named", "mode"), PAIRS, ids=lambda value: str(value))
def test_a_target_implies_its_mode_and_naming_it_makes_no_new_version(
    named: dict[str, Any], mode: str
) -> None:
    implied, said = a_schedule(**named), a_schedule(mode=mode, **named)
    registry = build_registry(JOBS, [implied])
    assert implied.target()["mode"] == mode
    texts, said_texts = version_texts(implied, registry), version_texts(said, registry)
    assert (version_digest(texts), texts) == (version_digest(said_texts), said_texts)
    assert build_registry(JOBS, [said]).digest == registry.digest


@pytest.mark.parametrize(
    ("named", "jobs"),
    [
        ({"job": "scores"}, ("scores",)),
        ({"job_group": "feed"}, ("digest",)),
        ({"jobs": ("anything", "scores")}, ("anything", "scores")),
        ({"job": "views", "with_dependencies": True}, ("scores", "views")),
    ],
    ids=str,
)
def test_only_what_is_named_runs(named: dict[str, Any], jobs: tuple[str, ...]) -> None:
    registry = build_registry(JOBS, [a_schedule(**named)])
    assert registry.select(a_schedule(**named).target()).jobs == jobs


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"job": "scores", "job_group": "feed"}, "by job and job_group; give one of"),
        ({"job": "scores", "jobs": ["views"]}, "by job and jobs; give one of"),
        ({"job_group": "feed", "jobs": []}, "by job_group and jobs; give one of"),
        ({"mode": "ALL_JOBS", "job": "scores"}, "ALL_JOBS contradicts job, which means SINGLE_JOB"),
        ({"mode": "GROUP", "job": "scores"}, "leave mode out, or give job_group instead of job."),
        ({"mode": "SINGLE_JOB", "job_group": "feed"}, "contradicts job_group, which means GROUP"),
        ({"mode": "CUSTOM", "job": "scores"}, "or give jobs instead of job."),
        ({"mode": "SINGLE_JOB"}, "mode SINGLE_JOB names no job: set job."),
        ({"mode": "GROUP"}, "mode GROUP names no job: set job_group."),
        ({"mode": "CUSTOM"}, "mode CUSTOM names no job: set jobs."),
        ({"job": ""}, "job names unknown job ''."),
        ({"job_group": ""}, "group '' is empty"),
        ({"jobs": []}, "names no job: set jobs, or leave it out to run all of them."),
        ({"jobs": "scores"}, "jobs is the text 'scores'; write a list of names: ['scores']."),
        ({"jobs": ["scores", "scores"]}, "jobs names 'scores' more than once; leave one."),
        ({"jobs": [5]}, "jobs holds 5, which is no name"),
        ({"jobs": 5}, "jobs must be a list of names, not 5."),
        ({"job": 5}, "job must be a text, not 5."),
        ({"job": digest}, "job is a function; write its name, 'digest'."),
        ({"job_group": ["feed"]}, "job_group must be a text, not ['feed']."),
        ({"with_dependencies": True}, "with_dependencies has no effect when all jobs run"),
        (
            {"job": "digest", "params": {"limt": 5}},
            "'limt', which none of its jobs takes (did you mean 'limit'?); they take limit, since.",
        ),
        ({"job": "scores", "params": {"limit": 5}}, "none of its jobs takes; they take none."),
        ({"params": {5: 5}}, "params cannot be stored as JSON by name: 5 is no text."),
        ({"job_group": "feed", "params": {"limit": "many"}}, "job 'digest' refuses limit: Input"),
        ({"params": {"since": 5}}, "params: job 'digest' refuses since: Input should be a valid"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_a_schedule_would_not_run_as_written_is_a_mistake(
    parts: dict[str, Any], said: str
) -> None:
    (found,) = mistakes(*JOBS, a_schedule(**parts))
    assert found.startswith("tests:1: schedule 'daily': ")
    assert said in found


def test_a_job_that_can_not_run_without_a_parameter_gets_it_or_is_left_out() -> None:
    needy = [declared(refund)]
    (found,) = mistakes(*needy, a_schedule(job="refund"))
    assert "params lacks 'order', which job 'refund' can't run without" in found
    (found,) = mistakes(*needy, a_schedule())
    assert "params lacks 'order'" in found
    build_registry(needy, [a_schedule(job="refund", params={"order": 7})])
    build_registry(needy, [])


def test_each_job_gets_those_parameters_that_its_function_takes() -> None:
    schedule = a_schedule(params={"limit": 5})
    target = build_target(build_registry(JOBS, [schedule]), schedule.target())
    shares = {made.name: made.params for made in target.jobs}
    assert shares == {
        "scores": {},
        "views": {},
        "digest": {"limit": 5},
        "anything": {"limit": 5},
    }


def test_a_mistake_in_the_dependencies_is_told_once_and_hides_no_other() -> None:
    circle = [a_job("a", depends_on=["b"]), a_job("b", depends_on=["a"])]
    found = mistakes(*circle, a_schedule(job="a", params={"x": 1}))
    assert len(found) == 1
    assert "jobs wait for each other" in found[0]


def test_a_program_takes_no_parameters() -> None:
    backup = command("backup", ["true"], group="feed")
    (found,) = mistakes(declared(backup), a_schedule(job="backup", params={"path": "/"}))
    assert "params has 'path', which none of its jobs takes; they take none." in found
