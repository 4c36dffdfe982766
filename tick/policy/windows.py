"""Times in which nothing fires: maintenance windows, and a stopped scheduler. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

from tick.cron.weekly_times import weekly_in_words
from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.rule import Rule
from tick.states import Outcome, ReasonKind, ScheduleKind

_CLOCKS_CHANGE_BY = timedelta(hours=3)  # at most, as one can tell
_LOOKED_AT = 60  # a daily window with its next clock change, and each day of a week and month


class Phase(StrEnum):
    """Where an instant lies, as seen from a window."""

    TO_COME = "TO_COME"
    LASTS = "LASTS"
    OVER = "OVER"


@dataclass(frozen=True)
class Window:
    """A time in which no instant fires: [starts_at, ends_at), or without an end.

    It is for the schedule with that id, or for those with the label (neither: for all); `recurs`
    says when it comes again. With `run_after` it holds instants until it ends; see `holds`.
    """

    id: int
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    created_by: str
    schedule_id: str | None = None
    recurs: str | None = None
    run_after: bool = False
    label: str | None = None
    name: str | None = None
    """Its name in the definitions; None for one that a person planned."""

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
            whose = f" {self.name!r}" if self.name else ""
            whose += f" of {self.schedule_id}" if self.schedule_id else ""
            whose += f" of label {self.label}" if self.label else ""
            whose += f" ({self.recurs})" if self.recurs else ""
            since = (
                f"maintenance window {self.id}{whose}, {self.starts_at:%Y-%m-%d %H:%M} to "
                f"{self.ends_at:%Y-%m-%d %H:%M} UTC,"
            )
        return f"{since} by {self.created_by}: {self.reason}"


@dataclass(frozen=True)
class RecurringWindow:
    """A window that begins at each instant of a cron expression and lasts `length`.

    The length is elapsed time, whatever the clocks do meanwhile; with `end_cron` it lasts up to the
    next instant of that, by the clock. `starts_at` and `ends_at` cut it off.
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
    label: str | None = None
    name: str | None = None
    end_cron: str | None = None

    def touching(self, since: datetime, until: datetime) -> Iterator[Window]:
        """Yield, as windows, its times that hold an instant from `since` to `until`."""
        given = (self.reason, self.created_by, self.schedule_id, self.in_words(), self.run_after)
        for begin in instants.all_between(self._starts, since - self._longest, until):
            end = min(self._end_of(begin), self.ends_at)
            begin = max(begin, self.starts_at)
            if begin < end:
                yield Window(self.id, begin, end, *given, self.label, self.name)

    def in_words(self) -> str:
        """Return when it recurs."""
        if self.end_cron is None:
            return f"{self.cron} {self.timezone}"
        return f"{weekly_in_words(self.cron, self.end_cron)} {self.timezone}"

    def phase(self, now: datetime) -> Phase:
        """Return whether it lasts just now, is to come (again) or is over."""
        if self.ends_at <= max(now, self.starts_at):
            return Phase.OVER
        return Phase.LASTS if covering([self], now) else Phase.TO_COME

    def overlaps_itself(self) -> bool:
        """Return whether it begins again before it ends, as its first times tell."""
        begins = instants.between(self._starts, self.starts_at, None, limit=_LOOKED_AT)
        return any(after <= self._end_of(before) for before, after in pairwise(begins))

    def _end_of(self, begin: datetime) -> datetime:
        """Return when the time ends that begins then; at its beginning if the clocks skip it."""
        if self._ends is None:
            return begin + self.length
        end = instants.first_after(self._ends, begin)
        # A time that lies in the spring gap as a whole has no end of its own: that is the next.
        return begin if end is None or end > begin + self._longest else end

    @cached_property
    def _longest(self) -> timedelta:
        return self.length + (timedelta(0) if self.end_cron is None else _CLOCKS_CHANGE_BY)

    @cached_property
    def _starts(self) -> Rule:
        return self._rule(self.cron)

    @cached_property
    def _ends(self) -> Rule | None:
        return None if self.end_cron is None else self._rule(self.end_cron)

    def _rule(self, cron: str) -> Rule:
        # One that has begun by then holds for its rest.
        since = self.starts_at - self._longest
        return Rule(ScheduleKind.CRON, cron=cron, timezone=self.timezone, starts_at=since)


AnyWindow: TypeAlias = Window | RecurringWindow


@dataclass(frozen=True)
class WindowSegment:
    """The instants in (after, until], all in one window or in none."""

    after: datetime
    until: datetime
    window: Window | None


def of_schedule(
    windows: Sequence[AnyWindow], schedule_id: str, labels: Collection[str] | None = ()
) -> Sequence[AnyWindow]:
    """Return the windows for a schedule: those for all, its own, and those of its labels."""
    if all(map(_is_of_all, windows)):
        return windows
    return [
        window
        for window in windows
        if _is_of_all(window)
        or window.schedule_id == schedule_id
        or (window.label is not None and window.label in (labels or ()))
    ]


def of_all(windows: Iterable[AnyWindow]) -> list[AnyWindow]:
    """Return the windows in which no schedule at all fires."""
    return [window for window in windows if _is_of_all(window)]


def _is_of_all(window: AnyWindow) -> bool:
    return window.schedule_id is None and window.label is None


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
