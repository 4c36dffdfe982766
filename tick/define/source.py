"""Where a definition was written down, as `folder/file.py:line`. Pure."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def source_of(function: Callable[..., Any]) -> str:
    """Where the function is defined."""
    code = function.__code__
    return place(code.co_filename, code.co_firstlineno)


def caller() -> str:
    """Where the nearest code outside of `tick` is that led here."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_own(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return place(frame.f_code.co_filename, frame.f_lineno)


def _is_own(module: str) -> bool:
    return module == "tick" or module.startswith("tick.")


def place(file: str, line: int) -> str:
    """A line of a file, as people are told of it."""
    path = Path(file)
    return f"{path.parent.name}/{path.name}:{line}"
