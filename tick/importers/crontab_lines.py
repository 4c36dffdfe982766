"""The lines of a crontab: variables, times, users and commands, as the daemons split them. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_VARIABLE = re.compile(r"""(?:(\w+)|"([^"=]+)"|'([^'=]+)')\s*=\s*(.*)\Z""", re.DOTALL)
_TIMES = re.compile(r"(@\w+|\S+\s+\S+\s+\S+\s+\S+\s+\S+)(?:\s+(.*))?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is no comment, with the variables that were set above it."""

    number: int
    text: str
    variables: Mapping[str, str]
    times: str = ""
    command: str = ""
    user: str | None = None


def lines_of(text: str, *, system: bool) -> Iterator[Line]:
    """Yield the lines that are neither comments nor variables; a wrong one has no command."""
    variables: dict[str, str] = {}
    for number, raw in enumerate(text.split("\n"), 1):
        stripped = raw.strip(" \t\r")
        if not stripped or stripped.startswith("#"):
            continue
        if found := _VARIABLE.match(stripped):
            name = found[1] or found[2] or found[3]
            variables[name] = _unquoted(found[4])
        else:
            yield _line(number, stripped, dict(variables), system)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _line(number: int, text: str, variables: dict[str, str], system: bool) -> Line:
    found = _TIMES.match(text)
    if found is None:
        return Line(number, text, variables)
    times, rest, user = " ".join(found[1].split()), found[2] or "", None
    if system:
        user, _, rest = rest.partition(" ") if " " in rest else rest.partition("\t")
        rest = rest.lstrip()
    return Line(number, text, variables, times, rest, user)
