"""What the documents say is what the code does."""

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest

from tick.cli import COMMANDS, main
from tick.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = [*ROOT.glob("*.md"), ROOT / "deploy/README.md", ROOT / "definitions/README.md"]


def shown_commands() -> Iterator[str]:
    """Each `tick …` of the documents, in a sentence or in a block; not the list of all commands."""
    for document in DOCUMENTS:
        text = re.sub(r"^- `tick .*$", "", document.read_text(), flags=re.MULTILINE)
        blocks = re.findall(r"```(?:sh|console|cron)\n(.*?)```", text, re.DOTALL)
        yield from re.findall(r"`(tick\s+[a-z-][^`]*)`", text)
        for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
            yield from re.findall(
                r"(?:^|[$;&*] |bin/|console |-manager )(tick [a-z-][^#&;]*)", line
            )


def parse(command: click.Command, words: list[str]) -> None:
    """Raise click.UsageError where the words name a command or an option that there is not."""
    context = click.Context(command, **main.context_settings)  # a command remembers its first -h
    _, rest, _ = command.make_parser(context).parse_args(words)
    if isinstance(command, click.Group) and rest:
        _, child, rest = command.resolve_command(context, rest)
        assert child is not None
        parse(child, rest)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_stands_in_the_readme_with_its_meaning(name: str) -> None:
    row = re.search(rf"^\| `{PREFIX}{name.upper()}` \|.*$", README, re.MULTILINE)
    assert row, f"add {PREFIX}{name.upper()} to the table of settings"
    assert (Settings.model_fields[name].description or "?") in row[0]


def test_the_readme_names_no_setting_that_is_gone() -> None:
    named = set(re.findall(rf"^\| `{PREFIX}([A-Z_]+)` \|", README, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_stands_in_the_readme_and_explains_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None and command.help
    assert re.search(rf"^- `tick {name}[ `]", README, re.MULTILINE), f"add `tick {name}`"
    for child in getattr(command, "commands", {}).values():
        assert child.help


def test_the_first_example_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tick.define.registry import load_registry

    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example
    package = tmp_path / "readme_example"
    package.mkdir()
    (package / "__init__.py").write_text(example[1])
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = load_registry("readme_example")
    assert list(registry.jobs) == ["daily-report"]
    assert list(registry.schedules) == ["nightly"]


@pytest.mark.parametrize("shown", sorted({" ".join(each.split()) for each in shown_commands()}))
def test_each_command_that_a_document_shows_is_one(shown: str) -> None:
    with suppress(click.BadOptionUsage):  # an option that is named without its value
        parse(main, [word.partition("|")[0] for word in shlex.split(shown)[1:]])


def test_the_files_and_folders_that_contributing_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for name in re.findall(
        r"`((?:tick|webapp|tests|deploy|migrations|definitions)/[\w./-]*)`", text
    ):
        assert (ROOT / name).exists(), name


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
