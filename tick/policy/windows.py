"""Times in which nothing fires: maintenance windows, and a stopped scheduler. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.rule import Rule
from tick.states import Outcome, ReasonKind, ScheduleKind

_LOOKED_AT = 60  # a daily window with its next clock change, and each day of a week and month


class Phase(StrEnum):
    """Where an instant lies, as seen from a window."""

    TO_COME = "TO_COME"
    LASTS = "LASTS"
    OVER = "OVER"


@dataclass(frozen=True)
class Window:
    """A time in which no instant fires: [starts_at, ends_at), or without an end.

    It is for the schedule with that id (None: for all); `recurs` says when it comes again. With
    `run_after` it holds instants until it ends; see `holds`.
    """

    id: int
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    created_by: str
    schedule_id: str | None = None
    recurs: str | None = None
    run_after: bool = False

    @property
    def outcome(self) -> Outcome:
        """The outcome of what lies in it."""
        return Outcome.BLACKOUT

    @property
    def kind(self) -> ReasonKind:
        """Whether it is a maintenance window, or the time without end of a stopped scheduler."""
        return ReasonKind.STOPPED if self.ends_at is None else ReasonKind.WINDOW

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
            whose = f" of {self.schedule_id}" if self.schedule_id else ""
            whose += f" ({self.recurs})" if self.recurs else ""
            since = (
                f"maintenance window {self.id}{whose}, {self.starts_at:%Y-%m-%d %H:%M} to "
                f"{self.ends_at:%Y-%m-%d %H:%M} UTC,"
            )
        return f"{since} by {self.created_by}: {self.reason}"


@dataclass(frozen=True)
class RecurringWindow:
    """A window that begins at each instant of a cron expression and lasts `length`.

    The length is elapsed time, whatever the clocks do meanwhile. It recurs from `starts_at`, and
    `ends_at` cuts it off.
    """

    id: int
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str
    cron: str
    timezone: str
    length: timedelta
    schedule_id: str | None = None
    run_after: bool = False

    def touching(self, since: datetime, until: datetime) -> Iterator[Window]:
        """Yield, as windows, its times that hold an instant from `since` to `until`."""
        recurs = f"{self.cron} {self.timezone}"
        given = (self.reason, self.created_by, self.schedule_id, recurs, self.run_after)
        for begin in instants.all_between(self._starts, since - self.length, until):
            end = min(begin + self.length, self.ends_at)
            if begin < end:
                yield Window(self.id, begin, end, *given)

    def phase(self, now: datetime) -> Phase:
        """Return whether it lasts just now, is to come (again) or is over."""
        if self.ends_at <= max(now, self.starts_at):
            return Phase.OVER
        return Phase.LASTS if covering([self], now) else Phase.TO_COME

    def overlaps_itself(self) -> bool:
        """Return whether it begins again before it ends, as its first times tell."""
        begins = instants.between(self._starts, self.starts_at, None, limit=_LOOKED_AT)
        return any(after - before <= self.length for before, after in pairwise(begins))

    @cached_property
    def _starts(self) -> Rule:
        return Rule(
            ScheduleKind.CRON, cron=self.cron, timezone=self.timezone, starts_at=self.starts_at
        )


AnyWindow: TypeAlias = Window | RecurringWindow


@dataclass(frozen=True)
class WindowSegment:
    """The instants in (after, until], all in one window or in none."""

    after: datetime
    until: datetime
    window: Window | None


def of_schedule(windows: Sequence[AnyWindow], schedule_id: str) -> Sequence[AnyWindow]:
    """Return the windows for a schedule: those for all, and its own."""
    if all(window.schedule_id is None for window in windows):
        return windows
    return [window for window in windows if window.schedule_id in (None, schedule_id)]


def of_all(windows: Iterable[AnyWindow]) -> list[AnyWindow]:
    """Return the windows in which no schedule at all fires."""
    return [window for window in windows if window.schedule_id is None]


def skipping(windows: Iterable[AnyWindow]) -> list[AnyWindow]:
    """Return the windows in which instants are given up; the others only hold them."""
    return [window for window in windows if not window.run_after]


def expand(windows: Iterable[AnyWindow], since: datetime, until: datetime) -> list[Window]:
    """Return the windows, recurring ones as their times from `since` to `until`, by their start."""
    found: list[Window] = []
    for window in windows:
        found += [window] if isinstance(window, Window) else window.touching(since, until)
    return sorted(found, key=lambda window: window.starts_at)


def covering(windows: Iterable[AnyWindow], at: datetime) -> Window | None:
    """Return the window that an instant lies in: of several, the one that began first."""
    return next((window for window in expand(windows, at, at) if window.covers(at)), None)


def split_by_windows(
    windows: Iterable[AnyWindow], after: datetime, until: datetime
) -> Iterator[WindowSegment]:
    """Yield (after, until] cut where a window begins or ends in which instants are given up."""
    # In overlapping windows an instant belongs to the first, as in `covering`.
    for window in expand(skipping(windows), after, until):
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
