"""What the documents say is what the code does."""

import re
from pathlib import Path

import click
import pytest

from tick.cli import COMMANDS, main
from tick.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


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


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), ROOT / "deploy/README.md", ROOT / "definitions/README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
