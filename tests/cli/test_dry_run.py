"""`tick now`, its `--dry-run`, `tick run --params`: what is done, and what is refused before."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.cli.conftest import CommandLine
from tick import clock
from tick.store.tables import job_schedule, schedule_version


def test_a_dry_run_decides_nothing(tick: CommandLine) -> None:
    assert "Nothing was due" in tick.bad("now", "--dry-run", status=0)
    found = tick.json("now", "--dry-run")
    assert (found["lines"], found["runs"], found["errors"]) == ([], 0, {})


def test_a_tick_that_cannot_decide_a_schedule_says_so_by_its_exit_status(
    tick: CommandLine,
) -> None:
    tick.good("enable", "monthly-report")
    with tick.database.write.begin() as connection:
        connection.execute(sa.update(schedule_version).values(rule="{}"))
        due = {"next_run_at": clock.now() - timedelta(minutes=1)}
        connection.execute(sa.update(job_schedule).values(due))
    result = tick("now")
    assert result.exit_code == 1
    assert "monthly-report: " in result.stderr


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
