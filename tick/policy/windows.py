"""Times in which nothing fires: maintenance windows, and a stopped scheduler. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.rule import Rule


class Phase(StrEnum):
    """Where an instant lies, as seen from a window."""

    TO_COME = "TO_COME"
    LASTS = "LASTS"
    OVER = "OVER"


@dataclass(frozen=True)
class Window:
    """A time in which no instant fires: [starts_at, ends_at), or without an end."""

    id: int
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    created_by: str

    def covers(self, at: datetime) -> bool:
        """Return whether the instant lies in it."""
        return self.phase(at) is Phase.LASTS

    def phase(self, now: datetime) -> Phase:
        """Return whether the window is to come, lasts or is over."""
        # A window that was called off before it began ends when it starts.
        if self.ends_at is not None and self.ends_at <= max(now, self.starts_at):
            return Phase.OVER
        return Phase.LASTS if self.starts_at <= now else Phase.TO_COME

    def in_words(self) -> str:
        """Return why nothing fires in it, and by whose decision."""
        if self.ends_at is None:
            since = f"the scheduler was stopped at {self.starts_at:%Y-%m-%d %H:%M} UTC"
        else:
            since = (
                f"maintenance window {self.id}, {self.starts_at:%Y-%m-%d %H:%M} to "
                f"{self.ends_at:%Y-%m-%d %H:%M} UTC,"
            )
        return f"{since} by {self.created_by}: {self.reason}"


@dataclass(frozen=True)
class WindowSegment:
    """The instants in (after, until], all in one window or in none."""

    after: datetime
    until: datetime
    window: Window | None


def covering(windows: Iterable[Window], at: datetime) -> Window | None:
    """Return the window that an instant lies in: of several, the one that began first."""
    found = (window for window in windows if window.covers(at))
    return min(found, key=lambda window: window.starts_at, default=None)


def split_by_windows(
    windows: Iterable[Window], after: datetime, until: datetime
) -> Iterator[WindowSegment]:
    """Yield (after, until] cut where a window begins or ends, in order."""
    # In overlapping windows an instant belongs to the first, as in `covering`.
    for window in sorted(windows, key=lambda window: window.starts_at):
        start = max(after, just_before(window.starts_at))
        end = until if window.ends_at is None else min(until, just_before(window.ends_at))
        if start >= end:
            continue
        if start > after:
            yield WindowSegment(after, start, None)
        yield WindowSegment(start, end, window)
        after = end
    if after < until:
        yield WindowSegment(after, until, None)


def count_firing(rule: Rule, after: datetime, until: datetime, windows: Iterable[Window]) -> int:
    """Return how many instants lie in (after, until], and in no window."""
    parts = split_by_windows(windows, after, until)
    return sum(
        instants.count(rule, part.after, part.until) for part in parts if part.window is None
    )
