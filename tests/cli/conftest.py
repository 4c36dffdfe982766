"""The command line as a user has it: settings in the environment, answers on two streams."""

import json
import os
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from tests.support.inline import InlineExecutor
from tick.cli import main
from tick.define.registry import load_registry
from tick.runtime import Runtime
from tick.settings import Settings
from tick.store.database import Database
from tick.worker.worker import Worker

DEFINITIONS = "tests.cli.team"


class CommandLine:
    """Runs `tick …` in this process, on one database."""

    def __init__(self, database: Database, url: str) -> None:
        self.database = database
        self.environment = {"TICK_DATABASE_URL": url, "TICK_DEFINITIONS": DEFINITIONS}

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> Result:
        """What came of it; an exception that a user would see as a traceback fails the test."""
        env = self.environment | environment
        result = CliRunner().invoke(main, arguments, input=stdin, env=env, prog_name="tick")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def good(self, *arguments: str, **how: str) -> str:
        """The standard output of a command that succeeds."""
        result = self(*arguments, **how)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str, **how: str) -> Any:
        """What a command that succeeds says with --json."""
        return json.loads(self.good(*arguments, "--json", **how))

    def bad(self, *arguments: str, status: int = 1, **how: str) -> str:
        """The error that a command ends with; nothing else is printed."""
        result = self(*arguments, **how)
        assert (result.exit_code, result.stdout) == (status, ""), result.output
        return result.stderr

    def work(self) -> None:
        """Let a worker run what is ready, one batch after another, to the last."""
        runtime = Runtime(Settings(definitions=DEFINITIONS), self.database)
        executor = InlineExecutor(load_registry(DEFINITIONS), runtime.now)
        worker = Worker(runtime, executor=executor)
        try:
            while worker.run_once(runtime.now()):
                pass
        finally:
            worker.close()

    def rows(self, statement: sa.Select[Any]) -> list[sa.Row[Any]]:
        """What a query finds."""
        with self.database.read.connect() as connection:
            return list(connection.execute(statement))


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TICK_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _commands_in_this_process_end(signals_restored: None) -> None:
    """A command that serves handles signals until its process ends, which here it does not."""


@pytest.fixture
def unsynced(database: Database, database_url: str) -> CommandLine:
    """The command line on an empty, migrated database."""
    return CommandLine(database, database_url)


@pytest.fixture
def tick(unsynced: CommandLine) -> CommandLine:
    """The command line on a database that knows the team's definitions."""
    unsynced.good("sync")
    return unsynced


@pytest.fixture
def unmigrated_url(database_url: str, database: Database) -> str:
    """The URL of a database of each kind that holds no tables at all."""
    everything = sa.MetaData()
    everything.reflect(database.write)
    with database.write.begin() as connection:
        everything.drop_all(connection)
    return database_url


@pytest.fixture
def worker_in_every_pause(tick: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a command waits, a worker works."""

    class Time:
        @staticmethod
        def sleep(_seconds: float) -> None:
            tick.work()

    for module in ("runs", "waiting"):
        monkeypatch.setattr(f"tick.cli.{module}.time", Time)
