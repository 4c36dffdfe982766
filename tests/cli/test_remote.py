"""`tick --url`: the same commands through a console that runs elsewhere."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from pydantic import SecretStr
from werkzeug.serving import make_server

from tests.cli.conftest import DEFINITIONS, CommandLine
from tests.support.factories import TESTER
from tick import clock
from tick.cli import ANYWHERE, COMMANDS, REMOTE, client, connection
from tick.cli.exit_status import ExitStatus
from tick.engine.ledger.audit import Act
from tick.engine.runs.heartbeat import register_worker
from tick.ops.access import tokens
from tick.runtime import Runtime
from tick.settings import Settings
from tick.states import Role, WorkerType
from tick.store.database import Database
from tick.store.tables import job_schedule
from webapp import create_app

REPORT = "monthly-report"
SETTINGS = Settings(
    definitions=DEFINITIONS,
    secret_key=SecretStr("a secret that only tests know"),
    cookie_secure=False,
)
# What a command says of the time at which it was asked.
MOMENTS = re.compile(r'"(now|last_heartbeat_at|last_used_at)": "[^"]+"')
READING = [
    ["alerts", "list", "--all"],
    ["alerts", "mutes"],
    ["audit"],
    ["audit", "--actor", "nobody"],
    ["jobs"],
    ["ledger"],
    ["ledger", REPORT, "--outcome", "QUEUED"],
    ["logs", "1"],
    ["next", "-n", "3", "--with-off"],
    ["now", "--dry-run"],
    ["occurrence", "1"],
    ["plan"],
    ["queue", "list"],
    ["runs"],
    ["runs", "--status", "SUCCESS", "--job", "fetch", "--group", "reports"],
    ["runs", "--occurrence", "1"],
    ["schedule", REPORT],
    ["schedules"],
    ["status"],
    ["verify", "--from", "2026-01-01", "--to", "2026-01-08"],
    ["why", REPORT, "2100-01-01"],
    ["workers", "--all"],
]


class FarCommandLine(CommandLine):
    """Runs `tick --url … …` with a token, and without a database."""

    def __init__(self, database: Database, url: str, token: str) -> None:
        super().__init__(database, "")
        self.environment = {"TICK_TOKEN": token, "TICK_URL": url, "TICK_DATABASE_URL": "nonsense"}


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """A console that answers; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def console(tick: CommandLine) -> Iterator[str]:
    """The address of a console on the same database."""
    with serving(create_app(Runtime(SETTINGS, tick.database))) as url:
        yield url


def token_of(database: Database, role: Role) -> str:
    """The text of a new token."""
    _, text = tokens.create_token(database, Act(clock.now(), TESTER), role.lower(), role, days=30)
    return text


@pytest.fixture
def far(tick: CommandLine, console: str) -> FarCommandLine:
    """The command line of an administrator elsewhere."""
    return FarCommandLine(tick.database, console, token_of(tick.database, Role.ADMIN))


@pytest.fixture
def busy(tick: CommandLine) -> CommandLine:
    """A system in which something has run, something waits and a worker lives."""
    tick.good("enable", REPORT)
    tick.good("run", "--job", "fetch")
    tick.work()
    tick.good("run", REPORT)
    tick.good("now")
    tick.good("queue", "pause", "media", "--reason", "disk")
    with tick.database.write.begin() as connection:
        register_worker(
            connection, worker_type=WorkerType.JOB_WORKER, now=clock.now(), abilities={}
        )
    return tick


def without_moments(said: str) -> str:
    return MOMENTS.sub("", said)


@pytest.mark.parametrize("command", READING, ids=lambda command: " ".join(command))
def test_a_command_prints_the_same_here_and_through_a_console(
    busy: CommandLine, far: FarCommandLine, command: list[str]
) -> None:
    near = busy.good(*command, "--json")
    assert without_moments(far.good(*command, "--json")) == without_moments(near)
    assert len(near) > 2 or "nobody" in command


def test_the_last_of_the_most_pages_is_read_and_one_more_is_refused(
    far: FarCommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_parts = ("verify", "--from", "2020-01-01", "--to", "2100-01-01")
    monkeypatch.setattr(client, "MOST_PAGES", 2)
    assert far.json(*two_parts)["ok"] is True
    monkeypatch.setattr(client, "MOST_PAGES", 1)
    assert "more than 1 pages of that; ask for less" in far.bad(*two_parts)


def test_a_year_is_proven_at_a_distance(busy: CommandLine, far: FarCommandLine) -> None:
    year = ("verify", "--from", "2025-01-01", "--to", "2026-01-01")
    assert far.good(*year) == busy.good(*year)
    assert far.good(*year).startswith("2025-01-01 00:00 to 2026-01-01 00:00 UTC:\n")


def test_what_acts_acts_there_as_the_token(busy: CommandLine, far: FarCommandLine) -> None:
    assert far.good("disable", REPORT, "--reason", "moved").startswith(f"{REPORT} is off since ")
    assert far.good("enable", REPORT).startswith(f"{REPORT} is on; next: ")
    far.good("pause", REPORT, "--reason", "year end", "--until", "2100-01-01")
    assert far.good("resume", REPORT).startswith(f"{REPORT} goes on; 0 instants passed")
    assert far.good("queue", "resume", "media") == "Queue media goes on.\n"
    worker = busy.json("workers")[0]["id"]
    assert far.good("drain", worker) == f"Worker {worker} will drain.\n"
    done = [entry["action"] for entry in busy.json("audit", "--actor", "token:admin")]
    assert done == [
        *("worker.drain", "queue.resume", "schedule.resume"),
        *("schedule.pause", "schedule.enable", "schedule.disable"),
    ]


@pytest.mark.parametrize("place", ["near", "far"])
def test_bulk_actions_skip_and_name_what_changed_meanwhile(
    tick: CommandLine, far: FarCommandLine, place: str
) -> None:
    here = far if place == "far" else tick
    read = here.json("schedule", REPORT)["schedule"]["revision"]
    tick.good("enable", REPORT)
    said = here.bad("pause", REPORT, "--reason", "year end", "--revision", read)
    assert said.startswith(f"Error: {REPORT} was changed since you read it: it is on by cli:")
    assert said.endswith("Read it again, then decide.\n")
    read = here.json("schedule", REPORT)["schedule"]["revision"]
    here.good("pause", REPORT, "--reason", "year end", "--revision", read)
    here.good("scheduler", "stop", "--reason", "move")
    stopped = here.json("scheduler", "status")["revision"]
    tick.good("scheduler", "start")
    assert "it is not stopped" in here.bad("scheduler", "start", "--revision", stopped)
    assert "is no revision" in here.bad("enable", REPORT, "--revision", "a\r\nb", status=2)


def test_runs_are_started_cancelled_and_retried_there(
    tick: CommandLine, far: FarCommandLine
) -> None:
    for what in (["--all"], ["--group", "reports"], ["--job", "fetch"], [REPORT]):
        started = far.json("run", *what)
        run = str(started["runs"][0]["id"])
        assert far.json("cancel", run)["status"] == "CANCELLED"
        assert far.json("retry", run)["occurrence"]["outcome"] == "QUEUED"
        number = str(started["occurrence"]["id"])
        assert far.json("cancel", "--occurrence", number)["occurrence"]["outcome"] == "CANCELLED"
        assert far.good("retry", "--occurrence", number).startswith("Back in the queue: ")
    tick.work()


@pytest.mark.usefixtures("worker_in_every_pause")
def test_waiting_and_following_work_at_a_distance(far: FarCommandLine) -> None:
    assert far.good("run", "--group", "reports", "--wait").startswith("SUCCESS; ")
    assert far("run", "--job", "explode", "--wait").exit_code == 1
    run = str(far.json("runs", "--job", "fetch")[0]["id"])
    assert far.good("logs", run, "--follow").splitlines()[-1] == "fetch: SUCCESS"


def test_a_plan_is_of_the_definitions_that_the_console_has(
    tick: CommandLine, far: FarCommandLine
) -> None:
    tick.good("sync", TICK_DEFINITIONS="definitions")  # others
    found = far("plan", TICK_DEFINITIONS="nowhere")
    assert found.exit_code == ExitStatus.CHANGES
    assert f"{REPORT}: defined again" in found.stdout


def test_a_dry_run_is_of_the_tick_there_and_a_tick_is_refused(
    tick: CommandLine, far: FarCommandLine
) -> None:
    tick.good("enable", REPORT)
    since = clock.now() - timedelta(days=40)
    with tick.database.write.begin() as connection:
        since_then = {"decided_to": since, "created_at": since, "next_run_at": since}
        connection.execute(sa.update(job_schedule).values(since_then))
    near, there = tick.json("now", "--dry-run"), far.json("now", "--dry-run")
    assert [line["schedule_id"] for line in near["lines"]] == [REPORT]
    assert [line["outcome"] for line in there["lines"]] == [near["lines"][0]["outcome"]]
    assert "unless it is a --dry-run" in far.bad("now", status=2)
    assert tick.json("ledger") == []


def test_one_key_starts_one_occurrence(far: FarCommandLine) -> None:
    first = far.json("run", "--job", "fetch", "--key", "release-42")
    assert far.json("run", "--job", "fetch", "--key", "release-42") == first
    assert far.json("run", "--job", "fetch") != first


def test_a_viewers_token_reads_and_is_told_what_it_may_not(tick: CommandLine, console: str) -> None:
    viewer = FarCommandLine(tick.database, console, token_of(tick.database, Role.VIEWER))
    assert [row["id"] for row in viewer.json("schedules")] == ["launch", REPORT]
    assert "Use a token of role ADMIN" in viewer.bad("enable", REPORT)


def test_what_is_refused_there_is_told_here(far: FarCommandLine) -> None:
    assert "'yearly'" in far.bad("enable", "yearly")
    far.good("run", REPORT)
    assert "still running" in far.bad("run", REPORT)
    assert "body.params" in far.bad("run", "--job", "fetch", "--params", '{"a": "\\u0000"}')
    assert "There is no run 4711" in far.bad("logs", "4711")


def test_an_unusable_token_is_told_and_not_repeated(far: FarCommandLine) -> None:
    said = far.bad("schedules", TICK_TOKEN="tick_stolen")
    assert "`tick token create` makes a new one" in said
    assert "tick_stolen" not in said


def test_an_odd_token_is_not_repeated_either(far: FarCommandLine) -> None:
    said = far.bad("schedules", TICK_TOKEN="tick_a\r\nX-Evil: hush-hush")
    assert "is not one word" in said
    assert "hush" not in said


def test_a_proxy_sees_nothing_of_what_stays_on_this_machine(far: FarCommandLine) -> None:
    assert far.json("jobs", http_proxy="http://127.0.0.1:1", no_proxy="")


def test_the_token_may_be_in_a_file(far: FarCommandLine, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(far.environment.pop("TICK_TOKEN") + "\n")
    assert far.json("--token-file", str(file), "jobs")
    assert far.json("jobs", TICK_TOKEN_FILE=str(file))
    assert "TICK_TOKEN" in far.bad("jobs")
    assert "--token-file" in far.bad("--token-file", str(tmp_path / "nowhere"), "jobs")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://tick.example", "write https://HOST"),
        ("ftp://tick.example", "write https://HOST"),
        ("file:///etc/passwd", "write https://HOST"),
        ("tick.example", "write https://HOST"),
        ("http://127.0.0.1.tick.example", "write https://HOST"),
        ("https://", "write https://HOST"),
        ("https://[", "is no address"),
        ("https://tick.example:99999", "is no address"),
        ("https://ada:secret@tick.example", "more than an address"),
        ("https://tick.example/console?page=2", "more than an address"),
        ("http://127.0.0.1:1", "can't be reached"),
    ],
)
def test_an_address_that_is_unsafe_or_wrong(far: FarCommandLine, url: str, said: str) -> None:
    assert said in far.bad("schedules", TICK_URL=url)


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - REMOTE - ANYWHERE))
def test_what_needs_the_database_refuses_to_work_at_a_distance(
    far: FarCommandLine, name: str
) -> None:
    assert "works on the database itself" in far.bad(name, status=2)


def test_what_needs_neither_works_wherever_the_console_is(far: FarCommandLine) -> None:
    assert far.json("check", TICK_DEFINITIONS=DEFINITIONS)["schedules"] == [REPORT, "launch"]
    assert far.good("cron", "next", "0 2 * * *").startswith("At 02:00")
    assert far.good("completion", "bash")


class Impostor(BaseHTTPRequestHandler):
    """Something else than a console: it redirects, or answers what nobody expects."""

    def do_GET(self) -> None:
        if self.path.endswith("/schedules"):
            self.send_response(302)
            self.send_header("Location", "https://tick.example/login")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"hello": "world"}')

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def impostor() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Impostor)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_is_not_followed(far: FarCommandLine, impostor: str) -> None:
    said = far.bad("schedules", TICK_URL=impostor)
    assert "answers 302" in said and "https://tick.example/login" in said


def test_another_shape_of_answer_is_told(far: FarCommandLine, impostor: str) -> None:
    assert "install here the version that runs there" in far.bad("status", TICK_URL=impostor)


def test_an_answer_without_end_is_not_read(
    far: FarCommandLine, impostor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_BYTES", 10)
    assert "answers with more than 10 bytes" in far.bad("status", TICK_URL=impostor)


def test_the_audit_is_exported_whole_page_by_page(tick: CommandLine, far: FarCommandLine) -> None:
    for number in range(60):
        tick.good("queue", "pause" if number % 2 else "resume", "media", *reason(number))
    lines = far.good("audit", "--subject", "media", "--export").splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert len(ids) == 59
    assert ids == sorted(ids, reverse=True)


def reason(number: int) -> list[str]:
    return ["--reason", "disk"] if number % 2 else []
