"""Names and instants as they stand in the addresses and bodies of the JSON API."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote


def quoted(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def of_schedule(schedule_id: str, action: str | None = None) -> str:
    """The path of a schedule, or of something that is done to it."""
    place = f"/schedules/{quoted(schedule_id)}"
    return f"{place}/{action}" if action else place


def texts(instants: Sequence[datetime]) -> list[str]:
    """Instants as ISO texts."""
    return [instant.isoformat() for instant in instants]
