"""The places of definitions, as `folder/file.py:line`. Pure."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any


def source_of(function: Callable[..., Any]) -> str:
    """Return where the function is defined."""
    code = function.__code__
    return place(code.co_filename, code.co_firstlineno)


def caller() -> str:
    """Return the place of the nearest code outside of `tick` that led here."""
    frame = _frame_of_caller()
    return place(frame.f_code.co_filename, frame.f_lineno)


def caller_folder() -> str:
    """Return the folder of that code's file: paths that it names begin there."""
    return str(Path(_frame_of_caller().f_code.co_filename).parent)


def _frame_of_caller() -> FrameType:
    # A team may wrap Schedule in a helper of its own: then the helper's line is named.
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "tick":
        frame = frame.f_back
    return frame


def place(file: str, line: int) -> str:
    """Return the words for a line of a file."""
    path = Path(file)
    return f"{path.parent.name}/{path.name}:{line}"
