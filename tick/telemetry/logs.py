"""Sets up logging: lines for people, or JSON for programs, with ids to join them by."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

# The ids of a line: given as `extra=`, or bound for all lines of a block.
IDS = ("tick_id", "occurrence_id", "run_id", "worker_id", "schedule_id", "request_id")
_bound: ContextVar[dict[str, str]] = ContextVar("bound_ids")


@contextmanager
def bound(**ids: str) -> Iterator[None]:
    """Add these ids to every line that is logged inside the block."""
    token = _bound.set(_bound.get({}) | ids)
    try:
        yield
    finally:
        _bound.reset(token)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return `at`, `level`, `logger`, `message`, `pid`, the known ids and an `error`."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
        }
        line |= _bound.get({})
        line |= {name: vars(record)[name] for name in IDS if vars(record).get(name) is not None}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def log_to_stderr(form: Literal["text", "json"]) -> None:
    """Send this process's log to its standard error, from level INFO on."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
