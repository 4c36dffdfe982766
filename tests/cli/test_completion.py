"""`tick completion`: Tab knows the commands, and the names in the definitions."""

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from tests.cli.conftest import DEFINITIONS
from tick.cli import main


def completions(*words: str) -> list[str]:
    """What Tab offers after these words."""
    *before, begun = words
    found = ShellComplete(main, {}, "tick", "_TICK_COMPLETE").get_completions(before, begun)
    return [item.value for item in found]


@pytest.fixture(autouse=True)
def _definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICK_DEFINITIONS", DEFINITIONS)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["dis"], ["disable"]),
        (["enable", ""], ["launch", "monthly-report"]),
        (["schedule", "mon"], ["monthly-report"]),
        (["run", "--job", "ex"], ["explode"]),
        (["runs", "--group", ""], ["reports", "trouble"]),
        (["runs", "--status", "FA"], ["FAILED"]),
        (["queue", "p"], ["pause"]),
    ],
)
def test_tab_completes(words: list[str], offered: list[str]) -> None:
    assert completions(*words) == offered


def test_tab_is_quiet_when_the_definitions_are_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICK_DEFINITIONS", "tests.cli.mistaken")
    assert completions("enable", "") == []


def test_tab_works_with_an_address_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICK_URL", "https://tick.example")
    assert "upgrade" in completions("db", "")


@pytest.mark.parametrize(
    ("shell", "said"), [("bash", "complete -o"), ("zsh", "#compdef tick"), ("fish", "complete ")]
)
def test_each_shell_gets_its_script(shell: str, said: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert said in result.stdout
    assert "_TICK_COMPLETE" in result.stdout


def test_another_shell_is_a_wrong_call() -> None:
    result = CliRunner().invoke(main, ["completion", "csh"])
    assert result.exit_code == 2
    assert "'bash'" in result.stderr
