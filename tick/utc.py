"""UTC at every public door: aware is not enough.

Python adds to and compares two datetimes of one zone by the wall clock, so that an hour before a
clock change and an hour after it are not what they seem. Whatever takes a datetime from outside
turns it into UTC here, once; everything below reckons with what it got.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NewType

from tick.errors import InvalidInstant

Utc = NewType("Utc", datetime)
"""An aware datetime whose zone is UTC: sums and comparisons of it are those of real time."""

YEARS = range(1970, 2200)
"""In which years an instant that a person names may lie, so that sums with it are instants, too."""


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
    """Return as UTC an aware datetime that a person or another program names.

    Raises InvalidInstant for a naive one, and for one outside of YEARS.
    """
    found = in_utc(instant, name)
    if found.year not in YEARS:
        raise InvalidInstant(
            f"{name}, {found.isoformat()}, is too far away: "
            f"name a year from {YEARS[0]} to {YEARS[-1]}."
        )
    return found


def is_skipped(instant: datetime) -> bool:
    """Whether an aware datetime is a wall time that the clocks of its zone leave out."""
    back = in_utc(instant).astimezone(instant.tzinfo)
    return back.replace(tzinfo=None) != instant.replace(tzinfo=None)


def all_utc(instants: Iterable[datetime], name: str = "the instant") -> list[Utc]:
    """Return each as `utc` does."""
    return [utc(instant, name) for instant in instants]
