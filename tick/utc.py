"""Turns datetimes from outside into UTC, once at each public entry."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NewType

from tick.errors import InvalidInstant

# Aware is not enough: Python adds to and compares two datetimes of one zone by the wall clock, so
# that sums across a clock change are an hour wrong.
Utc = NewType("Utc", datetime)
# The years of instants that people name: sums with them are instants, too.
YEARS = range(1970, 2200)


def in_utc(instant: datetime, name: str = "the instant") -> Utc:
    """Return an aware datetime as UTC. Raises InvalidInstant for a naive one, or a year 0."""
    if instant.tzinfo is UTC:
        return Utc(instant)
    if instant.utcoffset() is None:
        raise InvalidInstant(
            f"{name} needs a time zone, and {instant.isoformat()} has none: "
            "write datetime(…, tzinfo=UTC)."
        )
    try:
        return Utc(instant.astimezone(UTC))
    except OverflowError:
        raise InvalidInstant(
            f"{name}, {instant.isoformat()}, lies outside of the years 1 to 9999 in UTC."
        ) from None


def utc(instant: datetime, name: str = "the instant") -> Utc:
    """Return a given datetime as UTC. Raises InvalidInstant if it is naive or outside of YEARS."""
    found = in_utc(instant, name)
    if found.year not in YEARS:
        raise InvalidInstant(
            f"{name}, {found.isoformat()}, is too far away: "
            f"name a year from {YEARS[0]} to {YEARS[-1]}."
        )
    return found


def is_skipped(instant: datetime) -> bool:
    """Return whether an aware datetime is a wall time that the clocks of its zone leave out."""
    back = in_utc(instant).astimezone(instant.tzinfo)
    return back.replace(tzinfo=None) != instant.replace(tzinfo=None)


def all_utc(instants: Iterable[datetime], name: str = "the instant") -> list[Utc]:
    """Return each as `utc` does."""
    return [utc(instant, name) for instant in instants]
