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
        (["--all", "--params", "{}"], "--params goes with --job"),
    ],
    ids=["no JSON", "a list", "no job"],
)
def test_parameters_are_an_object_for_one_job(
    tick: CommandLine, arguments: list[str], complaint: str
) -> None:
    assert complaint in tick.bad("run", *arguments, status=2)


def test_parameters_that_the_function_would_not_take_are_refused(tick: CommandLine) -> None:
    said = tick.bad("run", "--job", "fetch", "--params", '{"middle": 1}')
    assert "middle: Extra inputs are not permitted" in said
    assert tick.json("runs") == []
