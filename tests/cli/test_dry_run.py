"""`tick now --dry-run` and `tick run --params`: what would be done, and what is refused before."""

import pytest

from tests.cli.conftest import CommandLine


def test_a_dry_run_decides_nothing(tick: CommandLine) -> None:
    assert "Nothing was due" in tick.bad("now", "--dry-run", status=0)
    found = tick.json("now", "--dry-run")
    assert (found["lines"], found["runs"], found["errors"]) == ([], 0, {})


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--job", "fetch", "--params", "{"], "--params is not JSON"),
        (["--job", "fetch", "--params", "[1]"], "takes a JSON object"),
        (["monthly-report", "--params", "{}"], "not with a schedule"),
    ],
    ids=["no JSON", "a list", "a schedule"],
)
def test_parameters_are_an_object_for_jobs(
    tick: CommandLine, arguments: list[str], complaint: str
) -> None:
    assert complaint in tick.bad("run", *arguments, status=2)


def test_parameters_that_the_function_would_not_take_are_refused(tick: CommandLine) -> None:
    said = tick.bad("run", "--job", "fetch", "--params", '{"middle": 1}')
    assert "middle: Extra inputs are not permitted" in said
    for many in (["--group", "reports"], ["--all"]):
        said = tick.bad("run", *many, "--params", '{"middle": 1}')
        assert "middle: none of these jobs takes it" in said
    assert tick.json("runs") == []


def test_parameters_of_many_jobs_reach_those_that_know_them(tick: CommandLine) -> None:
    for many in (["--group", "reports"], ["--all"]):
        made = tick.json("run", *many, "--params", '{"said": "done"}')["runs"]
        runs = [tick.json("logs", str(run["id"]))["run"] for run in made]
        params = {run["job_name"]: run["params"] for run in runs}
        assert params.pop("report") == {"said": "done"}
        assert not any(params.values())
