"""`tick import`: files in, a new file of definitions out, and what is told beside it."""

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

NO_DATABASE = {"TICK_DATABASE_URL": "postgresql://tick:pass@127.0.0.1:1/tick"}
THERE = ["--tz", "Europe/Berlin", "--after", "2026-03-10T12:00:00Z"]


@pytest.fixture
def crontab(tmp_path: Path) -> str:
    path = tmp_path / "crontab.txt"
    path.write_text("30 2 * * * /opt/backup.sh\n0 22-2 * * * /opt/night\n")
    return str(path)


def test_definitions_and_proof_are_written_and_the_report_is_told(
    unsynced: CommandLine, crontab: str, tmp_path: Path
) -> None:
    output, proof = tmp_path / "jobs.py", tmp_path / "proof.txt"
    written = ["--output", str(output), "--proof", str(proof)]
    said = unsynced.good("import", "busybox", crontab, *THERE, *written, **NO_DATABASE)
    assert said.startswith("busybox: 2 entries: 2 carried over")
    assert 'dst_gap="skip"' in output.read_text()
    assert "  2026-03-30T00:30:00Z\n" in proof.read_text()


def test_what_is_written_passes_the_check(
    unsynced: CommandLine, crontab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "brought_here"
    # The package of an earlier test has the same name, and its folder is gone.
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        monkeypatch.delitem(sys.modules, name)
    package.mkdir()
    (package / "__init__.py").touch()
    unsynced.good("import", "cronie", crontab, *THERE, "--output", str(package / "jobs.py"))
    said = unsynced.good("check", TICK_DEFINITIONS="brought_here")
    assert "2 jobs in 1 group and 1 schedule: no mistakes." in said


def test_a_file_is_never_overwritten(unsynced: CommandLine, crontab: str, tmp_path: Path) -> None:
    output = tmp_path / "jobs.py"
    output.write_text("mine")
    said = unsynced.bad("import", "cronie", crontab, *THERE, "--output", str(output))
    assert "exists already: name another file" in said
    assert output.read_text() == "mine"


def test_a_zone_that_does_not_exist_is_a_wrong_call(unsynced: CommandLine, crontab: str) -> None:
    said = unsynced.bad("import", "cronie", crontab, "--tz", "Europe/Berln", status=2)
    assert "'Europe/Berlin'" in said


def test_bytes_that_are_no_text_and_files_that_are_too_long_are_refused(
    unsynced: CommandLine, tmp_path: Path
) -> None:
    latin, long = tmp_path / "latin", tmp_path / "long"
    latin.write_bytes(b"0 1 * * * echo \xe4\n")
    long.write_bytes(b"#" * 2_000_001)
    assert "no UTF-8 text at byte 15" in unsynced.bad("import", "cronie", str(latin), *THERE)
    assert "split it into files" in unsynced.bad("import", "cronie", str(long), *THERE)


def test_what_a_terminal_would_obey_is_not_printed(unsynced: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_text("0 1 * * * /opt/a\x1b[31m\nX=1\n1 2 3 \x1b[2J\n")
    result = unsynced("import", "cronie", str(path), *THERE)
    assert result.exit_code == 0
    assert "\x1b" not in result.output
