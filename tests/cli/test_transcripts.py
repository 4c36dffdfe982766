"""What a stranger reads: the sessions in `transcripts/`, on both databases and from elsewhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.test_every_command import LEAVES, WITHOUT_JSON
from tests.cli.test_remote import SETTINGS, FarCommandLine, serving, token_of
from tests.cli.transcript import FOLDER, Call, Stage, blocks
from tick import clock
from tick.cli import REMOTE, doctor
from tick.cli.exit_status import ExitStatus
from tick.cron.zone_data import ZoneData
from tick.runtime import Runtime
from tick.states import Role
from tick.zone_sources import system_sources
from webapp import create_app

TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
CALLS = [
    call for path in TRANSCRIPTS for call in blocks(path.read_text()) if isinstance(call, Call)
]


def calls_of(name: str) -> list[Call]:
    """Those of one command; `tick queue` is none of `tick queue list`."""
    words = name.split()
    return [call for call in CALLS if call.words[: len(words)] == words]


@pytest.fixture
def stage(unsynced: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A clock that stands at noon, and the command line next to the database."""
    stage = Stage(unsynced, NOON)
    monkeypatch.setattr(clock, "now", lambda: stage.now)
    monkeypatch.setattr(clock, "database_now", lambda _connection: stage.now)
    # Whether the machine has zone data of its own beside the package is no matter here.
    package = system_sources()[-1:]
    monkeypatch.setattr(doctor, "system_sources", lambda: package)
    monkeypatch.setattr(doctor, "current", lambda: ZoneData(package))
    return stage


@pytest.fixture
def far_away(stage: Stage) -> Iterator[FarCommandLine]:
    """The command line of an administrator elsewhere, through a console on the same database."""
    database = stage.near.database
    with serving(create_app(Runtime(SETTINGS, database))) as url:
        yield FarCommandLine(database, url, token_of(database, Role.ADMIN))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_session_reads_as_it_is_written_down(stage: Stage, path: Path) -> None:
    stage.play(path.read_text())


@pytest.mark.parametrize(
    "path",
    [path for path in TRANSCRIPTS if path.stem not in ("definitions", "installation", "serving")],
    ids=lambda path: path.stem,
)
def test_it_reads_the_same_from_elsewhere(
    stage: Stage, far_away: FarCommandLine, path: Path
) -> None:
    def works_there(call: Call) -> bool:
        ticks = call.words[0] == "now" and "--dry-run" not in call.words
        return call.words[0] in REMOTE and not ticks and not call.environment

    stage.play(path.read_text(), far_away, works_there)


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_is_shown_to_work_and_to_fail(name: str) -> None:
    calls = calls_of(name)
    assert any(call.status for call in calls), "show how it fails"
    assert any(not call.complains for call in calls if not call.asks_for_json)
    assert name in WITHOUT_JSON or any(not call.complains for call in calls if call.asks_for_json)


def test_what_a_command_says_of_a_failure_names_a_way_out() -> None:
    """A failure ends with a sentence; a wrong call says where the help is."""
    for call in CALLS:
        if call.complains:
            said = call.expected.partition("Error: ")[2]
            assert len(said.split()) >= 3, call.line
            assert (call.status == ExitStatus.USAGE) is ("--help' for help." in call.expected)
