"""`Window`: a maintenance window as its author wrote it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tick.cron.weekly_times import WeeklyTimes, parse_weekly
from tick.define.source import caller
from tick.states import AfterWindow
from tick.text import length as in_words
from tick.utc import in_utc


@dataclass(frozen=True)
class Window:
    """A time that lives in code, in which schedules do not fire.

    It recurs at `weekly` times by the clock (`Sun 02:00-04:00`), or from each instant of `cron` on
    for `length`, in its `timezone`; or it comes once, from `starts_at` to `ends_at`, which bound
    one that recurs. It is for the `schedules` with these ids and those with these `labels`, or for
    all. `then="run"` holds what is due in it, and the newest instant of each fires after it.
    """

    name: str
    weekly: str | None = field(default=None, kw_only=True)
    cron: str | None = field(default=None, kw_only=True)
    length: timedelta | None = field(default=None, kw_only=True)
    timezone: str = field(default="UTC", kw_only=True)
    starts_at: datetime | None = field(default=None, kw_only=True)
    ends_at: datetime | None = field(default=None, kw_only=True)
    schedules: Sequence[str] = field(default=(), kw_only=True)
    labels: Sequence[str] = field(default=(), kw_only=True)
    then: AfterWindow | str = field(default=AfterWindow.SKIP, kw_only=True)
    reason: str = field(default="planned in the definitions", kw_only=True)
    source: str = field(default="", compare=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self.source or caller())

    def times(self) -> WeeklyTimes | None:
        """Return when it recurs; None if it comes once. Raises InvalidCron."""
        if self.weekly is not None:
            return parse_weekly(self.weekly)
        if self.cron is None or self.length is None:
            return None
        return WeeklyTimes(self.cron, None, self.length)

    def in_words(self) -> str:
        """Return when it is, for what, and what becomes of what is due in it."""
        if self.weekly is not None or self.cron is not None:
            lasts = "" if self.length is None else f" for {in_words(self.length.total_seconds())}"
            when = f"{self.weekly or self.cron}{lasts} ({self.timezone})"
        else:
            when = " to ".join(f"{in_utc(at):%Y-%m-%d %H:%M}" for at in self._ends) + " UTC"
        named = [f"label {label}" for label in self.labels]
        whose = ", ".join([*self.schedules, *named]) or "all schedules"
        then = " run after it" if AfterWindow(self.then) is AfterWindow.RUN else " do not fire"
        return f"{when}: {whose}{then}"

    @property
    def _ends(self) -> list[datetime]:
        return [at for at in (self.starts_at, self.ends_at) if at is not None]

    def plain(self) -> dict[str, object]:
        """Return all that decides, as plain JSON values."""
        start, end = (at and in_utc(at).isoformat() for at in (self.starts_at, self.ends_at))
        return {
            **{name: getattr(self, name) for name in ("weekly", "cron", "timezone", "reason")},
            "length": self.length and self.length.total_seconds(),
            "between": [start, end],
            "of": [list(self.schedules), list(self.labels)],
            "then": str(self.then),
        }
