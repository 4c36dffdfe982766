"""Windows that hold instants back: what is due in one fires after it. Pure.

Nothing is written while an instant is held: the schedule's cursor stands still, and the first tick
after the window decides. So an instant is held by what the windows are, not by who saw it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tick.policy.windows import AnyWindow, Window, expand
from tick.states import HeldBy


@dataclass(frozen=True)
class Hold:
    """A cause that held an instant back, and until when a later tick was to decide it."""

    by: HeldBy
    until: datetime


@dataclass(frozen=True)
class HoldingTime:
    """A time [starts_at, ends_at) closed without a gap, by a window that holds among others.

    None as its end: the scheduler was stopped meanwhile.
    """

    starts_at: datetime
    ends_at: datetime | None
    window: Window

    @property
    def hold(self) -> Hold | None:
        """What it does to an instant; None while nobody knows until when."""
        return None if self.ends_at is None else Hold(HeldBy.WINDOW, self.ends_at)

    def covers(self, at: datetime) -> bool:
        """Return whether the instant lies in it."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def in_words(self) -> str:
        """Return until when it holds, and by whose decision."""
        until = "" if self.ends_at is None else f" until {self.ends_at:%Y-%m-%d %H:%M} UTC"
        return f"held{until} by {self.window.in_words()}"


@dataclass(frozen=True)
class StoodFor:
    """A held instant that does not fire after the window, as the newer one stands for it."""

    time: HoldingTime
    newer: datetime

    def in_words(self) -> str:
        """Return what fires in its place, and what holds both."""
        return (
            f"the newer instant {self.newer:%Y-%m-%d %H:%M} UTC stands for it, as both are "
            f"{self.time.in_words()}"
        )


def holding_times(
    windows: Iterable[AnyWindow], since: datetime, until: datetime
) -> list[HoldingTime]:
    """Return the times touching `since` to `until` in which instants are held, in order."""
    if all(not window.run_after for window in windows):
        return []
    found: list[tuple[list[Window], datetime | None]] = []
    for window in expand(windows, since, until):
        if window.ends_at is not None and window.ends_at <= window.starts_at:
            continue  # called off
        # Where one window ends as the next begins, what the first held has to wait for both.
        if found and (found[-1][1] is None or window.starts_at <= found[-1][1]):
            together, end = found[-1]
            later = None if end is None or window.ends_at is None else max(end, window.ends_at)
            found[-1] = [*together, window], later
        else:
            found.append(([window], window.ends_at))
    return [
        HoldingTime(together[0].starts_at, end, holder)
        for together, end in found
        if (holder := next((each for each in together if each.run_after), None)) is not None
    ]


def held_at(windows: Sequence[AnyWindow], at: datetime) -> HoldingTime | None:
    """Return the time that holds an instant; None if nothing does."""
    end = at
    while True:
        found = next((time for time in holding_times(windows, at, end) if time.covers(at)), None)
        if found is None or found.ends_at is None or found.ends_at == end:
            return found
        end = found.ends_at  # windows that begin as it ends prolong it


def on_time_from(times: Sequence[HoldingTime], now: datetime, grace: timedelta) -> datetime:
    """Return how old an instant may be and is still on time: grace runs in no time that holds."""
    at = now
    for time in reversed(times):
        end = now if time.ends_at is None else min(time.ends_at, now)
        if at - end > grace:
            break
        grace -= at - end
        at = time.starts_at
    return at - grace
