"""`tick completion SHELL`, and the options whose names complete to those of the definitions."""

from collections.abc import Callable, Iterable

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from tick.cli.parameters import Command, OneOf
from tick.define.registry import Registry, load_registry
from tick.settings import load_settings

Completer = Callable[[click.Context, click.Parameter, str], list[str]]
SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


def _from_definitions(names: Callable[[Registry], Iterable[str]]) -> Completer:
    def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        try:
            settings = load_settings()
            registry = load_registry(settings.definitions, settings.environment)
        except Exception:
            return []  # whoever presses Tab wants no traceback on the prompt
        return sorted(name for name in names(registry) if name.startswith(begun))

    return complete


complete_schedules = _from_definitions(lambda registry: registry.schedules)
complete_jobs = _from_definitions(lambda registry: registry.jobs)
complete_labels = _from_definitions(
    lambda registry: {label for each in registry.schedules.values() for label in each.labels}
)
complete_groups = _from_definitions(lambda registry: registry.groups)
_COMPLETERS = {"schedule": complete_schedules, "job": complete_jobs, "group": complete_groups}
_COMPLETERS |= {"label": complete_labels}


def name_option(kind: str, words: str) -> Callable[[Command], Command]:
    """Return `--schedule`, `--job`, `--group` or `--label`."""
    return click.option(f"--{kind}", shell_complete=_COMPLETERS[kind], help=words)


schedules_argument = click.argument(
    "schedule_ids", metavar="[SCHEDULE_ID]...", nargs=-1, shell_complete=complete_schedules
)
label_option = name_option("label", "All schedules with this label.")


@click.command()
@click.argument("shell", type=OneOf(list(SHELLS)))
def completion(shell: str) -> None:
    """Print the script that completes `tick` in a SHELL.

    For bash, for example: tick completion bash > ~/.local/share/bash-completion/completions/tick
    """
    root = click.get_current_context().find_root().command
    click.echo(SHELLS[shell](root, {}, "tick", "_TICK_COMPLETE").source())
