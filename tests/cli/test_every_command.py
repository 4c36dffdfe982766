"""What holds of every command: it can speak JSON, and a wrong call is told apart from a failure."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tick.cli import REMOTE, main
from tick.cli.exit_status import MEANINGS, ExitStatus, status_of
from tick.states import Outcome

README = (Path(__file__).parents[2] / "README.md").read_text()
WITHOUT_JSON = {
    "completion": "prints a script",
    "first-run": "draws what happens, for a newcomer",
    "loop": "keeps running, and logs",
    "openapi": "prints JSON anyway",
    "cron compare": "prints JSON anyway",
    "up": "keeps running, and logs",
    "worker": "keeps running, and logs",
}


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that is no group, by its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


LEAVES = dict(leaves(main))


def test_every_command_speaks_json_or_has_a_reason_not_to() -> None:
    silent = {
        name
        for name, command in LEAVES.items()
        if not any(parameter.name == "as_json" for parameter in command.params)
    }
    assert silent == WITHOUT_JSON.keys()


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_and_every_option_is_explained(name: str) -> None:
    command = LEAVES[name]
    assert command.help and command.help.split("\n\n")[0].rstrip().endswith("."), name
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]}"


def test_each_example_of_the_help_is_a_right_call() -> None:
    shown, above = 0, click.Context(main, **main.context_settings)
    for name, command in LEAVES.items():
        _, example, line = " ".join((command.help or "").split()).partition("For example: tick ")
        if example:
            assert line.startswith(f"{name} "), line
            command.make_context(name, shlex.split(line.removeprefix(f"{name} ")), above)
            shown += 1
    assert shown > 4


@pytest.mark.parametrize("name", LEAVES)
def test_an_option_that_does_not_exist_is_a_wrong_call(name: str) -> None:
    result = CliRunner().invoke(main, [*name.split(), "--no-such-option"])
    assert result.exit_code == ExitStatus.USAGE
    assert "--no-such-option" in result.stderr
    assert result.stdout == ""


def test_what_works_at_a_distance_is_a_command() -> None:
    assert {name.split()[0] for name in LEAVES} >= REMOTE


def test_the_readme_lists_the_exit_statuses() -> None:
    table = README.partition("<!-- statuses:")[2]
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE))
    assert rows == {str(status.value): meaning for status, meaning in MEANINGS.items()}


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([], ExitStatus.GOOD),
        ([Outcome.SUCCESS], ExitStatus.GOOD),
        ([Outcome.SUCCESS, Outcome.PARTIAL], ExitStatus.PARTIAL),
        ([Outcome.CANCELLED, Outcome.PARTIAL], ExitStatus.CANCELLED),
        ([Outcome.CANCELLED, Outcome.FAILED, Outcome.SUCCESS], ExitStatus.FAILED),
        ([Outcome.MISSED], ExitStatus.FAILED),
    ],
)
def test_the_worst_outcome_decides(outcomes: list[Outcome], status: ExitStatus) -> None:
    assert status_of(outcomes) is status
