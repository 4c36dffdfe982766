"""`tick run`, `tick runs`, `tick logs`, `tick cancel`: work done by hand, and what came of it."""

import pytest

from tests.cli.conftest import CommandLine


@pytest.mark.parametrize(
    ("arguments", "jobs"),
    [
        (["monthly-report"], ["fetch", "report"]),
        (["--job", "report"], ["report"]),
        (["--group", "reports"], ["fetch", "report"]),
        (["--all"], ["explode", "fetch", "report"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_run_enqueues_and_says_where_to_look(
    tick: CommandLine, arguments: list[str], jobs: list[str]
) -> None:
    said = tick.good("run", *arguments)
    occurrence = said.split()[1]
    assert said == (
        f"Occurrence {occurrence} is enqueued; `tick runs --occurrence {occurrence}` "
        "shows its runs.\n"
    )
    runs = tick.json("runs", "--occurrence", occurrence)
    assert sorted(run["job_name"] for run in runs) == jobs
    assert {(run["status"], run["trigger"]) for run in runs} == {("QUEUED", "MANUAL")}


def test_run_as_json(tick: CommandLine) -> None:
    answer = tick.json("run", "--job", "fetch")
    assert answer["occurrence"]["outcome"] == "QUEUED"
    assert [run["job_name"] for run in answer["runs"]] == ["fetch"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["monthly-report", "--all"], ["--job", "fetch", "--group", "reports"]],
    ids=["nothing", "schedule and all", "job and group"],
)
def test_run_wants_exactly_one_thing_to_run(tick: CommandLine, arguments: list[str]) -> None:
    assert "Name exactly one of" in tick.bad("run", *arguments, status=2)


@pytest.mark.parametrize(
    ("arguments", "named", "hint"),
    [
        (["yearly"], "'yearly'", "`tick schedules`"),
        (["--job", "fetsh"], "'fetsh'", "`tick check`"),
        (["--group", "feed"], "'feed'", "reports, trouble"),
    ],
)
def test_run_names_what_it_does_not_know(
    tick: CommandLine, arguments: list[str], named: str, hint: str
) -> None:
    said = tick.bad("run", *arguments)
    assert named in said
    assert hint in said


def test_run_honours_overlap_unless_told_otherwise(tick: CommandLine) -> None:
    tick.good("run", "monthly-report")
    assert tick.bad("run", "monthly-report").startswith("Error: ")
    tick.good("run", "monthly-report", "--override-overlap")


@pytest.mark.usefixtures("worker_in_every_pause")
def test_run_waits_for_a_good_end(tick: CommandLine) -> None:
    assert tick.good("run", "--group", "reports", "--wait").startswith("SUCCESS; ")
    assert tick.json("run", "--group", "reports", "--wait")["occurrence"]["succeeded"] == 2


@pytest.mark.usefixtures("worker_in_every_pause")
def test_run_that_waits_fails_with_a_bad_end(tick: CommandLine) -> None:
    result = tick("run", "--job", "explode", "--wait")
    assert (result.exit_code, result.stdout.partition(";")[0]) == (1, "FAILED")


def test_runs_come_newest_first_as_a_table(tick: CommandLine) -> None:
    tick.good("run", "--job", "fetch")
    tick.good("run", "--job", "report")
    lines = [line.split("\t") for line in tick.good("runs").splitlines()]
    assert lines[0] == [
        *("RUN", "JOB", "STATUS", "TRIGGER", "SCHEDULE"),
        *("QUEUED (UTC)", "TOOK", "REASON"),
    ]
    assert [line[1] for line in lines[1:]] == ["report", "fetch"]


def test_runs_are_filtered_and_paged(tick: CommandLine) -> None:
    tick.good("run", "monthly-report")
    tick.good("run", "--job", "explode")
    tick.work()
    assert [run["job_name"] for run in tick.json("runs", "--status", "FAILED")] == ["explode"]
    assert {run["job_name"] for run in tick.json("runs", "--schedule", "monthly-report")} == {
        *("fetch", "report")
    }
    (report,) = tick.json("runs", "--job", "report")
    older = tick.json("runs", "--before", str(report["id"]))
    assert [run["job_name"] for run in older] == ["fetch"]


def test_without_runs_the_next_step_is_named(tick: CommandLine) -> None:
    result = tick("runs")
    assert (result.stdout, "tick run --all" in result.stderr) == ("", True)
    assert tick.json("runs") == []


def test_runs_of_a_status_that_does_not_exist_are_refused(tick: CommandLine) -> None:
    assert "'SUCCESS'" in tick.bad("runs", "--status", "DONE", status=2)


def test_logs_show_the_lines_and_the_end(tick: CommandLine) -> None:
    run = order(tick, "fetch")
    tick.work()
    line, end = tick.good("logs", run).splitlines()
    assert line.endswith("three figures fetched")
    assert end == "fetch: SUCCESS"


def test_logs_show_the_traceback_of_a_failure(tick: CommandLine) -> None:
    run = order(tick, "explode")
    tick.work()
    said = tick.good("logs", run)
    assert "ValueError: the figures are gone" in said
    assert said.splitlines()[-1].startswith("explode: FAILED")


def test_logs_say_nothing_that_a_terminal_obeys(tick: CommandLine) -> None:
    run = order(tick, "explode")
    tick.work()
    said = tick.good("logs", run)
    assert "red and title" in said
    assert not {"\x1b", "\x07", "\x9b"} & set(said)


def test_logs_as_json(tick: CommandLine) -> None:
    run = order(tick, "report")
    tick.work()
    answer = tick.json("logs", run)
    assert answer["run"]["status"] == "SUCCESS"
    assert [(line["level"], line["message"]) for line in answer["lines"]] == [
        ("milestone", "report written")
    ]


@pytest.mark.usefixtures("worker_in_every_pause")
def test_logs_follow_a_run_to_its_end_and_repeat_no_line(tick: CommandLine) -> None:
    said = tick.good("logs", order(tick, "fetch"), "--follow")
    assert said.count("three figures fetched") == 1
    assert said.splitlines()[-1] == "fetch: SUCCESS"


def test_cancel_of_a_queued_run_is_at_once(tick: CommandLine) -> None:
    run = order(tick, "fetch")
    assert tick.good("cancel", run) == f"Run {run} (fetch) is cancelled.\n"
    assert [row["status"] for row in tick.json("runs")] == ["CANCELLED"]


def test_cancel_of_an_ended_run_is_refused(tick: CommandLine) -> None:
    run = order(tick, "fetch")
    tick.work()
    assert "SUCCESS" in tick.bad("cancel", run)


def test_a_run_that_nobody_knows_is_named(tick: CommandLine) -> None:
    for command in ("logs", "cancel"):
        assert "4711" in tick.bad(command, "4711")


def order(tick: CommandLine, job: str) -> str:
    """Enqueue one run of a job; its id."""
    (run,) = tick.json("run", "--job", job)["runs"]
    return str(run["id"])
