"""What a newcomer sees first."""

import click
import pytest
from click.testing import CliRunner

from tick import __version__
from tick.cli import COMMANDS, SECTIONS, main


def test_help_lists_every_command_with_a_whole_sentence() -> None:
    text = CliRunner().invoke(main, ["--help"]).stdout
    listed = text.partition("exit.\n\n")[2].splitlines()
    lines = [line.split(maxsplit=1) for line in listed if line.startswith("  ")]
    assert [name for name, _ in lines] == list(COMMANDS)
    for name, said in lines:
        assert said.endswith((".", "!")) and not said.endswith("..."), name
    headings = [line for line in listed if line and not line.startswith(" ")]
    assert headings == [f"{heading}:" for heading in SECTIONS]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "-h"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {name}")


def test_help_of_subcommands_is_not_cut() -> None:
    for name in ("alerts", "cron", "db", "queue", "scheduler", "token", "user", "windows"):
        text = CliRunner().invoke(main, [name, "--help"]).stdout
        assert "..." not in text.partition("Commands:\n")[2], text


def test_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"tick, version {__version__}\n"


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(main, ["rune"])
    assert result.exit_code == click.UsageError.exit_code
    assert "No such command 'rune'" in result.stderr
