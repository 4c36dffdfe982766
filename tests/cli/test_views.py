"""`tick status`, `schedule`, `jobs`, `ledger`, `occurrence`, `audit`, `openapi`: what is shown."""

import json
import re
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from tests.cli.conftest import CommandLine
from tick.store.tables import tick_log
from webapp.api.routes import document

REPORT = "monthly-report"


def test_status_before_the_first_tick_names_the_next_step(tick: CommandLine) -> None:
    result = tick("status")
    assert (result.exit_code, "`tick now`" in result.stdout) == (1, True)
    assert json.loads(tick("status", "--json").stdout)["last_tick_at"] is None


def test_status_tells_of_ticks_and_work(tick: CommandLine) -> None:
    tick.good("now")
    tick.good("run", "--all")
    first, environment, last = tick.good("status").splitlines()
    assert re.match(r"Last tick \d+ s ago by tick now, in time", first)
    assert environment == "Environment: production."
    assert last == "Workers: 0. Runs at work: 0, waiting: 3."


def test_status_fails_when_the_ticks_are_late(tick: CommandLine) -> None:
    tick.good("now")
    with tick.database.write.begin() as connection:
        long_ago = datetime.now(UTC) - timedelta(hours=3)
        connection.execute(sa.update(tick_log).values(started_at=long_ago))
    result = tick("status")
    assert (result.exit_code, "late" in result.stdout) == (1, True)
    assert json.loads(tick("status", "--json").stdout)["ticks_are_late"] is True


def test_a_schedule_is_shown_with_its_rule_and_state(tick: CommandLine) -> None:
    tick.good("enable", REPORT)
    tick.good("pause", REPORT, "--reason", "year end", "--until", "2100-01-01")
    tick.good("run", REPORT)
    said = tick.good("schedule", REPORT)
    assert said.startswith(f"{REPORT}: Monthly Report\n")
    assert "on, PAUSED until 2100-01-01 00:00 UTC by cli:" in said
    assert "year end" in said
    assert "  last:      QUEUED run by hand by cli:" in said
    assert len(tick.json("schedule", REPORT)["upcoming"]) == 5
    assert "No schedule is called 'yearly'" in tick.bad("schedule", "yearly")


def test_jobs_are_listed_with_their_latest_run(tick: CommandLine) -> None:
    tick.good("run", "--job", "explode")
    tick.work()
    heading, *lines = [line.split("\t") for line in tick.good("jobs").splitlines()]
    assert heading[:5] == ["JOB", "GROUP", "DEPENDS ON", "QUEUE", "LAST"]
    assert [line[:5] for line in lines] == [
        ["explode", "trouble", "-", "default", "FAILED"],
        ["fetch", "reports", "-", "default", "-"],
        ["report", "reports", "fetch", "default", "-"],
    ]
    assert [job["latest_run"] is None for job in tick.json("jobs")] == [False, True, True]


def test_the_ledger_is_filtered_and_paged(tick: CommandLine) -> None:
    assert "`tick enable SCHEDULE`" in tick("ledger").stderr
    for _ in range(52):
        tick.good("run", "--job", "fetch")
    tick.good("run", REPORT)
    result = tick("ledger")
    assert len(result.stdout.splitlines()) == 51
    assert result.stderr == "Older ones: --before 4\n"
    assert [row["id"] for row in tick.json("ledger", "--before", "4")] == [3, 2, 1]
    assert [row["schedule_id"] for row in tick.json("ledger", REPORT)] == [REPORT]
    assert tick.json("ledger", "--outcome", "MISSED") == []


def test_an_occurrence_is_shown_with_its_runs(tick: CommandLine) -> None:
    tick.good("run", "--group", "reports")
    said = tick.good("occurrence", "1")
    assert "group reports\t-\t1\tQUEUED\t0 of 2\tcli:" in said
    assert [line.split("\t")[1] for line in said.splitlines()[-2:]] == ["fetch", "report"]
    assert len(tick.json("occurrence", "1")["runs"]) == 2
    assert "There is no occurrence 9" in tick.bad("occurrence", "9")


def test_the_audit_is_filtered_and_exported(tick: CommandLine) -> None:
    tick.good("enable", REPORT)
    tick.good("disable", REPORT, "--reason", "moved")
    tick.good("queue", "pause", "media", "--reason", "disk")
    assert "moved" in tick.good("audit", "--subject", REPORT)
    assert [entry["action"] for entry in tick.json("audit", "--action", "queue.")] == [
        "queue.pause"
    ]
    assert tick.json("audit", "--until", "2020-01-01") == []
    lines = tick.good("audit", "--export", "--action", "schedule.").splitlines()
    assert [json.loads(line)["action"] for line in lines][:2] == [
        *("schedule.disable", "schedule.enable"),
    ]


def test_openapi_prints_the_document(tick: CommandLine) -> None:
    assert json.loads(tick.good("openapi", TICK_DATABASE_URL="nonsense")) == document()


def test_nothing_that_somebody_wrote_reaches_the_terminal_as_a_command(tick: CommandLine) -> None:
    owned = "\x1b]0;owned\x07 \x9b2J"
    tick.good("scheduler", "stop", "--reason", owned)
    tick.good("pause", "launch", "--reason", owned)
    tick.good("queue", "pause", "media", "--reason", owned)
    tick.good("run", "--job", "fetch")
    tick.good("run", "--job", "explode")
    tick.good("cancel", "1", "2", "--reason", owned)
    for command in (
        ["status"],
        ["scheduler", "status"],
        ["schedule", "launch"],
        ["why", "launch", "2020-02-02T12:00Z"],
        ["queue", "list"],
        ["queue", "resume", "media", "--revision", "0" * 16],
        ["runs"],
        ["logs", "1"],
        ["cancel", "1", "2"],
        ["audit"],
    ):
        said = tick(*command).output
        assert not set("\x1b\x07\x9b") & set(said), command
