"""Times in which nothing fires: maintenance windows, and the scheduler standing still. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tick.policy.instants import just_before


class Phase(StrEnum):
    """How a window stands to an instant."""

    TO_COME = "TO_COME"
    LASTS = "LASTS"
    OVER = "OVER"


@dataclass(frozen=True)
class Window:
    """The instants in [starts_at, ends_at) do not fire; all that come while `ends_at` is None."""

    id: int
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    created_by: str

    def covers(self, at: datetime) -> bool:
        """Whether the instant lies in it."""
        return self.phase(at) is Phase.LASTS

    def phase(self, now: datetime) -> Phase:
        """Whether it is to come, lasts or is over; one that was called off is over."""
        if self.ends_at is not None and self.ends_at <= max(now, self.starts_at):
            return Phase.OVER
        return Phase.LASTS if self.starts_at <= now else Phase.TO_COME

    def in_words(self) -> str:
        """Why nothing fires in it, and who said so."""
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
    """The window that an instant lies in: of several, the one that began first."""
    return min(
        (window for window in windows if window.covers(at)),
        key=lambda window: window.starts_at,
        default=None,
    )


def split_by_windows(
    windows: Iterable[Window], after: datetime, until: datetime
) -> Iterator[WindowSegment]:
    """(after, until] cut where a window begins or ends, in order."""
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
