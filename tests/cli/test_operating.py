"""`tick retry`, `tick workers`, `tick drain`, `tick queue` and `tick now --drain`."""

import pytest

from tests.cli.conftest import CommandLine
from tick.engine.runs.heartbeat import register_worker
from tick.runtime import Runtime
from tick.settings import Settings
from tick.states import WorkerType


@pytest.fixture
def failed(tick: CommandLine) -> tuple[str, str]:
    """A run that failed, and its occurrence."""
    occurrence = str(tick.json("run", "--job", "explode")["occurrence"]["id"])
    tick.work()
    ((run, status),) = runs(tick, occurrence)
    assert status == "FAILED"
    return run, occurrence


@pytest.fixture
def worker(tick: CommandLine) -> str:
    """A worker that lives."""
    now = Runtime(Settings(), tick.database).now()
    with tick.database.write.begin() as connection:
        return register_worker(connection, worker_type=WorkerType.JOB_WORKER, now=now, abilities={})


def runs(tick: CommandLine, occurrence: str) -> list[tuple[str, str]]:
    """The runs of an occurrence, as (id, status)."""
    return [
        (str(run["id"]), run["status"]) for run in tick.json("runs", "--occurrence", occurrence)
    ]


def test_retry_puts_a_run_back_once(tick: CommandLine, failed: tuple[str, str]) -> None:
    run, occurrence = failed
    said = f"Run {run} (explode) is QUEUED.\n"
    assert tick.good("retry", run) == said
    assert runs(tick, occurrence) == [(run, "QUEUED")]
    assert tick.good("retry", run) == said


def test_retry_puts_back_what_failed_in_an_occurrence(
    tick: CommandLine, failed: tuple[str, str]
) -> None:
    run, occurrence = failed
    assert tick.good("retry", "--occurrence", occurrence) == f"Back in the queue: {run}.\n"


def test_retry_wants_exactly_one_thing(tick: CommandLine) -> None:
    assert "either RUN_ID or --occurrence" in tick.bad("retry", status=2)
    assert "either RUN_ID or --occurrence" in tick.bad("retry", "1", "--occurrence", "1", status=2)


def test_retry_says_what_it_can_not_do(tick: CommandLine) -> None:
    assert "There is no run 99" in tick.bad("retry", "99")
    assert "There is no occurrence 99" in tick.bad("retry", "--occurrence", "99")


def test_workers_are_listed(tick: CommandLine, worker: str) -> None:
    (row,) = tick.json("workers")
    assert (row["id"], row["status"]) == (worker, "RUNNING")
    assert worker in tick.good("workers")
    assert tick.json("workers", "--all") == [row]


def test_no_workers_say_how_to_start_one(tick: CommandLine) -> None:
    assert "`tick worker` starts one" in tick("workers").output


def test_a_worker_is_drained_once(tick: CommandLine, worker: str) -> None:
    assert tick.good("drain", worker) == f"Worker {worker} will drain.\n"
    assert tick.good("drain", worker) == f"Worker {worker} drains already.\n"
    assert tick.json("workers")[0]["status"] == "DRAINING"
    assert "`tick workers` lists them" in tick.bad("drain", "nobody")


def test_a_queue_is_paused_listed_and_resumed(tick: CommandLine) -> None:
    tick.good("run", "--all")
    assert (
        tick.good("queue", "pause", "default", "--reason", "disk") == "Queue default is paused.\n"
    )
    assert tick.good("queue", "pause", "default", "--reason", "x").endswith("paused already.\n")
    (row,) = tick.json("queue", "list")
    assert (row["name"], row["queued"], row["running"], row["limit"]) == ("default", 3, 0, None)
    assert row["paused_reason"] == "disk"
    assert "disk" in tick.good("queue", "list")
    assert tick.good("queue", "resume", "default") == "Queue default goes on.\n"
    assert tick.good("queue", "resume", "default") == "Queue default was not paused.\n"


def test_a_pause_wants_a_reason(tick: CommandLine) -> None:
    assert "--reason" in tick.bad("queue", "pause", "default", status=2)


def test_a_limit_is_listed(tick: CommandLine) -> None:
    said = tick.good("queue", "list", TICK_QUEUE_LIMITS="media=2")
    assert "media\t0\t0\t2" in said


def test_now_runs_what_is_ready_if_asked_to(tick: CommandLine) -> None:
    tick.good("run", "--group", "reports")
    answer = tick.json("now", "--drain", "60")
    assert answer["worked"]["statuses"] == {"SUCCESS": 2}
    assert answer["worked"]["more"] is False
    assert "nothing was ready" in tick.good("now", "--drain", "60")


def test_now_alone_runs_nothing(tick: CommandLine) -> None:
    occurrence = str(tick.json("run", "--job", "fetch")["occurrence"]["id"])
    assert "worked" not in tick.json("now")
    assert runs(tick, occurrence)[0][1] == "QUEUED"


def test_many_runs_are_retried_and_cancelled_with_one_entry_in_the_audit(
    tick: CommandLine,
) -> None:
    ids = [str(tick.json("run", "--job", "explode")["runs"][0]["id"]) for _ in range(3)]
    tick.work()
    said = tick.good("retry", *ids, "--reason", "the figures are back")
    assert said == f"Back in the queue: {', '.join(ids)}.\n"
    result = tick("cancel", *ids, "4711", "--reason", "they are not")
    assert (result.exit_code, result.stdout) == (
        1,
        f"Cancelled or asked to stop: {', '.join(ids)}.\n",
    )
    assert result.stderr == "Run 4711 has ended, or is not there.\n"
    assert [entry["action"] for entry in tick.json("audit", "--action", "runs.")] == [
        *("runs.cancel", "runs.retry"),
    ]


def test_many_runs_as_json(tick: CommandLine) -> None:
    ids = [tick.json("run", "--job", "fetch")["runs"][0]["id"] for _ in range(2)]
    assert tick.json("cancel", *map(str, ids)) == {"done": ids, "refused": {}}


def test_only_one_end_can_be_waited_for(tick: CommandLine) -> None:
    assert "--wait goes with one RUN_ID" in tick.bad("retry", "1", "2", "--wait", status=2)


@pytest.mark.usefixtures("worker_in_every_pause")
def test_a_retry_can_be_waited_for(tick: CommandLine, failed: tuple[str, str]) -> None:
    run, occurrence = failed
    result = tick("retry", run, "--wait")
    assert (result.exit_code, result.stdout.partition(";")[0]) == (1, "FAILED")
    assert tick("retry", "--occurrence", occurrence, "--wait").exit_code == 1


@pytest.mark.usefixtures("worker_in_every_pause")
def test_the_exit_status_of_a_retry_tells_what_was_left_out_of_it(tick: CommandLine) -> None:
    occurrence = str(tick.json("run", "--group", "reports")["occurrence"]["id"])
    fetch, report = (number for number, _ in runs(tick, occurrence))
    tick.good("cancel", fetch)
    result = tick("retry", fetch, "--only", "--wait")
    assert (result.exit_code, result.stdout.partition(";")[0]) == (1, "FAILED")
    assert runs(tick, occurrence) == [(fetch, "SUCCESS"), (report, "SKIPPED")]
    result = tick("retry", "--occurrence", occurrence, "--wait")
    assert (result.exit_code, result.stdout.partition(";")[0]) == (0, "SUCCESS")


def test_a_retry_says_what_goes_along(tick: CommandLine) -> None:
    occurrence = str(tick.json("run", "--group", "reports")["occurrence"]["id"])
    fetch, _ = (number for number, _ in runs(tick, occurrence))
    tick.good("cancel", fetch)
    said = f"Run {fetch} (fetch) is QUEUED, with 1 run skipped because of it.\n"
    assert tick.good("retry", fetch) == said
    tick.good("cancel", fetch)
    assert tick.json("retry", fetch, "--only")["runs"][1]["status"] == "SKIPPED"


def test_only_goes_with_runs(tick: CommandLine) -> None:
    assert "--only goes with" in tick.bad("retry", "--occurrence", "1", "--only", status=2)
