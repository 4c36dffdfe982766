"""Turns what a job printed into HTML: escaped, with a terminal's colours as classes. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ansi2html import Ansi2HTMLConverter
from markupsafe import Markup, escape

# A job's output is foreign: only colours and weights come through. Whatever else a terminal would
# obey (links, titles, moves of the cursor, other controls) is taken out first.
_COLOUR = re.compile(r"\x1b\[([0-9;]{0,40})m")
# Command strings end at the next escape or bell, so that the search stays linear.
_OTHER = re.compile(
    r"\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-ln-~]|\x1b[^\[]"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\x80-\x9f]")
_LEFTOVER = re.compile(r"\x1b(?!\[[0-9;]{0,40}m)")
_SHOWN = {0, 1, 3, 4, 22, 23, 24, 39, 49, *range(30, 38), *range(40, 48), *range(90, 98)}
# 38 and 48 choose among 256 colours or of all: 5 takes one number more, 2 takes three.
_MORE_NUMBERS = {5: 1, 2: 3}


def log_html(message: str, find: str | None = None) -> Markup:
    """Return a message as HTML; `find` is marked in it, unless it has colours."""
    text = _overwritten(message)
    if "\x1b" in text:
        html = Ansi2HTMLConverter(inline=False).convert(_tame(text), full=False)
        return Markup(html)  # noqa: S704 - the converter escapes # nosec B704
    return _marked(_CONTROLS.sub("", text), find) if find else escape(_CONTROLS.sub("", text))


def plain(message: str) -> str:
    """Return the message without anything that a terminal would obey."""
    text = _overwritten(message)
    return _CONTROLS.sub("", text) if "\x1b" not in text else _COLOUR.sub("", _tame(text))


def logger_beyond(fields: Any, known: Iterable[str]) -> str:
    """Return the name of a line's logger; empty if it ends in one of the `known` names."""
    # Most loggers are named by their module, and most modules by the job or group in them: a name
    # that the page shows anyway would stand on every line.
    name = fields.get("logger") if isinstance(fields, dict) else None
    last = _folded(str(name or "").rpartition(".")[2])
    return "" if last in map(_folded, known) else str(name or "")


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


def _overwritten(text: str) -> str:
    """Return what stood last in each line that a progress bar wrote again and again."""
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def _tame(text: str) -> str:
    text = _CONTROLS.sub("", _OTHER.sub("", text))
    return _COLOUR.sub(_shown, _LEFTOVER.sub("", text))


def _shown(found: re.Match[str]) -> str:
    codes = ";".join(map(str, _codes(found[1])))
    return f"\x1b[{codes}m" if codes else ""


def _codes(text: str) -> Iterator[int]:
    numbers = iter([int(number or 0) for number in text.split(";")])
    for number in numbers:
        if number in (38, 48):
            for _ in range(_MORE_NUMBERS.get(next(numbers, 0), 0)):
                next(numbers, None)
        elif number in _SHOWN:
            yield number


def _marked(text: str, find: str) -> Markup:
    parts = re.split(f"({re.escape(find)})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )
