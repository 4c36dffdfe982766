"""Whoever waits lives through a short outage of the console or of the database, and Ctrl-C."""

import errno
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.serving import BaseWSGIServer, make_server

from tests.cli.conftest import CommandLine
from tests.cli.test_remote import SETTINGS, FarCommandLine, token_of
from tick.cli import retry_reads
from tick.cli.client import LocalClient
from tick.cli.exit_status import ExitStatus
from tick.clock import now as clock_now
from tick.interface.occurrences import read_occurrence
from tick.runtime import Runtime
from tick.states import Role
from tick.store.tables import api_token
from webapp import create_app


class Console:
    """A console that goes away and comes back at the same address."""

    def __init__(self, tick: CommandLine) -> None:
        self.app = create_app(Runtime(SETTINGS, tick.database))
        self.port = 0
        self.server: BaseWSGIServer | None = None

    def start(self) -> None:
        """Answer."""
        self.server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        """Answer no longer."""
        if self.server is not None:
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
            self.server = None


@pytest.fixture
def console(tick: CommandLine) -> Iterator[Console]:
    made = Console(tick)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def far(tick: CommandLine, console: Console) -> FarCommandLine:
    """The command line of an administrator elsewhere."""
    url = f"http://127.0.0.1:{console.port}"
    return FarCommandLine(tick.database, url, token_of(tick.database, Role.ADMIN))


class Clock:
    """Time that passes while somebody pauses; then something happens."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.now, self.pauses, self.then = 0.0, 0, then

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass at once."""
        self.now += seconds
        self.pauses += 1
        self.then()


def between_two_looks(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    for module in ("runs", "waiting"):
        monkeypatch.setattr(f"tick.cli.{module}.time", Clock(happens))


def in_an_outage(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> Clock:
    clock = Clock(happens)
    monkeypatch.setattr(retry_reads, "time", clock)
    return clock


@pytest.mark.parametrize("what", [["run", "--job", "fetch", "--wait"], ["logs", "1", "--follow"]])
def test_a_console_that_is_deployed_anew_does_not_end_the_waiting(
    tick: CommandLine,
    far: FarCommandLine,
    console: Console,
    monkeypatch: pytest.MonkeyPatch,
    what: list[str],
) -> None:
    def come_back() -> None:
        if clock.pauses == 3:
            console.start()
            tick.work()

    between_two_looks(monkeypatch, console.stop)
    clock = in_an_outage(monkeypatch, come_back)
    monkeypatch.setattr("tick.cli.runs.FOLLOW_SECONDS", 0)
    if what[0] == "logs":
        tick.good("run", "--job", "fetch")
    result = far(*what)
    assert result.exit_code == 0, result.output
    assert "SUCCESS" in result.stdout
    assert "can't be reached" in result.stderr
    assert "Asking again for 5 minutes" in result.stderr
    assert result.stderr.count("There is an answer again") == 1


def test_a_console_that_stays_away_is_waited_for_no_longer_than_that(
    far: FarCommandLine, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    between_two_looks(monkeypatch, console.stop)
    clock = in_an_outage(monkeypatch, lambda: None)
    result = far("run", "--job", "fetch", "--wait")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: http://127.0.0.1")
    assert retry_reads.PATIENCE_SECONDS < clock.now < retry_reads.PATIENCE_SECONDS + 20
    assert clock.pauses < 30


def test_what_is_refused_is_not_asked_again(
    tick: CommandLine, far: FarCommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def revoke_the_token() -> None:
        with tick.database.write.begin() as connection:
            connection.execute(sa.update(api_token).values(revoked_at=clock_now()))

    between_two_looks(monkeypatch, revoke_the_token)
    clock = in_an_outage(monkeypatch, lambda: None)
    result = far("run", "--job", "fetch", "--wait")
    assert (result.exit_code, clock.pauses) == (1, 0)
    assert "`tick token create` makes a new one" in result.stderr


def test_a_database_that_fails_over_does_not_end_the_waiting(
    tick: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, call = itertools.count(1), LocalClient.call

    def fail_twice(self: LocalClient, operation: Any, **arguments: Any) -> Any:
        if operation is read_occurrence and next(calls) in (2, 3):
            raise sa.exc.OperationalError("SELECT", {}, Exception("the server is starting up"))
        return call(self, operation, **arguments)

    monkeypatch.setattr(LocalClient, "call", fail_twice)
    between_two_looks(monkeypatch, tick.work)
    in_an_outage(monkeypatch, lambda: None)
    result = tick("run", "--job", "fetch", "--wait")
    assert result.exit_code == 0
    assert "the server is starting up" in result.stderr
    assert "SELECT" not in result.stderr


def test_ctrl_c_ends_the_waiting_and_says_that_the_work_goes_on(
    tick: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_ctrl_c(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tick.cli.waiting.time.sleep", press_ctrl_c)
    said = tick.bad("run", "--job", "fetch", "--wait", status=ExitStatus.INTERRUPTED)
    assert said.strip() == ("No longer waiting; the work goes on: `tick runs --occurrence 1`.")
    assert [run["status"] for run in tick.json("runs")] == ["QUEUED"]


def test_an_answer_that_nobody_can_write_down_is_told_in_one_sentence(
    tick: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tick.cli.output.json.dumps", write)
    said = tick.bad("runs", "--json")
    assert said == "Error: [Errno 28] No space left on device. Mend that, then try again.\n"
