"""Declares the jobs of `command` and `http`: each at its author's line, its secrets by name."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from tick.define.jobs import ATTRIBUTE, JobDefinition
from tick.define.source import caller
from tick.environment import read_secret
from tick.errors import SettingsError

Run = Callable[[], Any]
_SECRET = re.compile(r"\bsecret:(\w+)")


def declare(run: Run, declared: Callable[[Run], Run], mistakes: Iterable[str]) -> Run:
    """Make `run` a job by `declared`, a decorator that `job(…)` returned; return `run`."""
    # Mistakes are told with a place: the author's line, not one of `tick`.
    definition: JobDefinition = getattr(declared(run), ATTRIBUTE)
    placed = replace(definition, source=caller(), mistakes=(*definition.mistakes, *mistakes))
    setattr(run, ATTRIBUTE, placed)
    return run


def resolve_secrets(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values, with the secret NAME in the place of each `secret:NAME`.

    Raises SettingsError, which never holds a secret, when one is missing or has control characters.
    """
    return {name: _SECRET.sub(_read, value) for name, value in values.items()}


def _read(found: re.Match[str]) -> str:
    secret = read_secret(found[1])
    # A line break in a header would begin another one. The value itself stays out of the message.
    if not secret.isprintable():
        raise SettingsError(
            f"The secret {found[1]} holds a line break or other control characters."
        )
    return secret
