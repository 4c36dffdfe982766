"""`tick completion SHELL`, and what names complete to: those of the definitions."""

from collections.abc import Callable, Iterable

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from tick.cli.parameters import OneOf
from tick.define.registry import Registry, load_registry
from tick.settings import load_settings

Completer = Callable[[click.Context, click.Parameter, str], list[str]]
SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


def _from_definitions(names: Callable[[Registry], Iterable[str]]) -> Completer:
    def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        try:
            registry = load_registry(load_settings().definitions)
        except Exception:
            return []  # whoever presses Tab wants no traceback on the prompt
        return sorted(name for name in names(registry) if name.startswith(begun))

    return complete


complete_schedules = _from_definitions(lambda registry: registry.schedules)
complete_jobs = _from_definitions(lambda registry: registry.jobs)
complete_groups = _from_definitions(lambda registry: registry.groups)


@click.command()
@click.argument("shell", type=OneOf(list(SHELLS)))
def completion(shell: str) -> None:
    """Print the script that completes `tick` in a SHELL.

    For bash, for example: tick completion bash > ~/.local/share/bash-completion/completions/tick
    """
    root = click.get_current_context().find_root().command
    click.echo(SHELLS[shell](root, {}, "tick", "_TICK_COMPLETE").source())
