"""What a user reads when the surroundings are wrong: one sentence, no traceback, no secret."""

import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tick.store.database import Database

COMMANDS = {
    " ".join(command): command
    for command in (
        ["now"],
        ["loop"],
        ["worker"],
        ["up"],
        ["schedules"],
        ["schedule", "launch"],
        ["status"],
        ["jobs"],
        ["ledger"],
        ["occurrence", "1"],
        ["audit"],
        ["retry", "1"],
        ["queue", "list"],
        ["enable", "launch"],
        ["disable", "launch"],
        ["run", "--all"],
        ["runs"],
        ["logs", "1"],
        ["cancel", "1"],
        ["sync"],
        ["user", "create", "ada"],
        ["user", "password", "ada"],
        ["prune"],
    )
}
UNREACHABLE = "postgresql://tick:hush-hush@127.0.0.1:1/tick"


@pytest.fixture
def nowhere(tmp_path: Path) -> CommandLine:
    """A command line whose settings a test gives."""
    return CommandLine(Database(f"sqlite:///{tmp_path / 'tick.db'}"), "")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_database_without_tables_is_to_be_upgraded(
    unmigrated_url: str, database: Database, command: list[str]
) -> None:
    said = CommandLine(database, unmigrated_url).bad(*command)
    assert said.startswith("Error: The database is empty")
    assert "`tick db upgrade`" in said


@pytest.mark.parametrize(
    "command",
    [*COMMANDS.values(), ["db", "upgrade"], ["first-run", "launch"]],
    ids=[*COMMANDS, "db upgrade", "first-run"],
)
def test_a_database_that_is_away_is_told_without_its_password(
    nowhere: CommandLine, command: list[str]
) -> None:
    said = nowhere.bad(*command, TICK_DATABASE_URL=UNREACHABLE)
    assert "TICK_DATABASE_URL" in said
    assert "refused" in said
    assert "hush-hush" not in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is not a database URL"),
        ("mysql://tick:hush-hush@db/tick", "mysql is not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:////", "unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_is_refused(nowhere: CommandLine, url: str, said: str) -> None:
    error = nowhere.bad("schedules", TICK_DATABASE_URL=url)
    assert said in error
    assert "hush-hush" not in error


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TICK_KEEP_DAYS", "for ever"),
        ("TICK_SECRET_KEY", "hush-hush"),
        ("TICK_TRIGGER_SECRET", "hush"),
        ("TICK_PROXY_HOPS", "-1"),
        ("TICK_COOKIE_SECURE", "perhaps"),
        ("TICK_SECRET_KEY_FILE", "/nowhere/secret_key"),
        ("TICK_SECRET_KEY_FILE", sys.executable),
    ],
)
def test_a_wrong_setting_is_named_and_a_secret_is_not_repeated(
    tick: CommandLine, variable: str, value: str
) -> None:
    said = tick.bad("schedules", **{variable: value})
    assert variable in said
    assert "hush" not in said


def test_every_wrong_setting_is_named_at_once(tick: CommandLine) -> None:
    said = tick.bad("schedules", TICK_KEEP_DAYS="0", TICK_PROXY_HOPS="9")
    assert "TICK_KEEP_DAYS" in said and "TICK_PROXY_HOPS" in said


def test_a_process_is_not_called_dead_before_it_could_have_beaten_thrice(
    tick: CommandLine,
) -> None:
    said = tick.bad("schedules", TICK_HEARTBEAT_SECONDS="10", TICK_DEAD_AFTER_SECONDS="29.9")
    assert "TICK_DEAD_AFTER_SECONDS must be at least three times" in said
    tick.good("schedules", TICK_HEARTBEAT_SECONDS="10", TICK_DEAD_AFTER_SECONDS="30")


BEYOND = str(2**63)


@pytest.mark.parametrize(
    "command",
    [
        ["logs", BEYOND],
        ["logs", "0"],
        ["cancel", "1", BEYOND],
        ["retry", "--occurrence", BEYOND],
        ["runs", "--before", BEYOND],
        ["runs", "--occurrence", BEYOND],
        ["occurrence", BEYOND],
        ["ledger", "--before", BEYOND],
        ["audit", "--before", BEYOND],
        ["windows", "end", BEYOND],
        ["alerts", "show", BEYOND],
        ["alerts", "unmute", BEYOND],
        ["token", "revoke", BEYOND],
    ],
    ids=" ".join,
)
def test_an_id_that_no_row_can_have_is_a_wrong_call(tick: CommandLine, command: list[str]) -> None:
    assert "is no id" in tick.bad(*command, status=2)


@pytest.mark.parametrize("far", ["0001-01-01", "9999-12-31T23:59-12:00", "1969-12-31"])
@pytest.mark.parametrize(
    "command",
    [
        ["runs", "--since"],
        ["why", "launch"],
        ["verify", "--to"],
        ["cron", "next", "@daily", "--after"],
    ],
    ids=" ".join,
)
def test_an_instant_that_is_too_far_away_is_a_wrong_call(
    tick: CommandLine, command: list[str], far: str
) -> None:
    assert "write a year from 1970 to 2199" in tick.bad(*command, far, status=2)


@pytest.mark.parametrize(
    "command",
    [["runs", "--text"], ["enable"], ["queue", "pause", "media", "--reason"], ["user", "create"]],
    ids=" ".join,
)
def test_what_is_no_text_is_a_wrong_call(tick: CommandLine, command: list[str]) -> None:
    said = tick.bad(*command, os.fsdecode(b"caf\xe9"), status=2)
    assert f"Argument {len(command) + 1} is not UTF-8 text." in said


def test_parameters_without_an_end_are_a_wrong_call(tick: CommandLine) -> None:
    assert "--params is not JSON" in tick.bad("run", "--all", "--params", "[" * 5000, status=2)
