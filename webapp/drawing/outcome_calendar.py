"""The calendar of a schedule's outcomes by day, in the reader's zone. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from tick.ops.queries.history import PastRow
from tick.policy.business_days import BusinessDays
from webapp.badges import badge

WEEKS = 13
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = timedelta(days=1)
# Which outcome a day is known by: the worst that it had.
_WORST_FIRST = ("bad", "warn", "live", "wait", "good", "quiet")
_SIGNS = {"bad": "✗", "warn": "!", "live": "▸", "wait": "…", "good": "✓", "quiet": "○"}


@dataclass
class Day:
    """A day: instants by outcome, 0 of an outcome whose range of instants only passes through."""

    date: date
    is_known: bool  # false for a day to come, or before what was read of the ledger
    outcomes: Counter[str] = field(default_factory=Counter)
    off: str | None = None  # why, by the calendar of the schedule

    @property
    def tone(self) -> str:
        """Return the tone of its worst outcome, or nothing."""
        tones = {badge(outcome).tone for outcome in self.outcomes}
        return next((tone for tone in _WORST_FIRST if tone in tones), "")

    @property
    def sign(self) -> str:
        """Return the sign for that tone beside its colour."""
        return _SIGNS.get(self.tone, "")

    @property
    def words(self) -> str:
        """Return `Mon 23 Nov: 24 success, 1 failed`."""
        counted = ", ".join(
            f"{number or 'all day'} {badge(outcome).word.lower()}"
            for outcome, number in self.outcomes.most_common()
        )
        name = f"{WEEKDAYS[self.date.weekday()]} {self.date.day} {self.date:%b}"
        name += f" ({self.off})" if self.off else ""
        return f"{name}: {counted or 'nothing'}"


def outcome_calendar(
    past: Sequence[PastRow],
    now: datetime,
    zone: tzinfo,
    *,
    complete: bool,
    days_off: BusinessDays | None = None,
) -> list[list[Day]]:
    """Return WEEKS weeks of days up to this one; `complete` if nothing is older than `past`.

    Those that are off by the schedule's calendar say so.
    """
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    known_from = date.min if complete or not past else past[0].at.astimezone(zone).date()
    days = [monday + number * _DAY for number in range(7 * WEEKS)]
    by_date = {day: Day(day, known_from <= day <= today) for day in days}
    for day in by_date.values():
        day.off = None if days_off is None else days_off.why_off(day.date)
    for row in past:
        _note(by_date, row, zone)
    return [[by_date[day] for day in days[start : start + 7]] for start in range(0, len(days), 7)]


def _note(by_date: dict[date, Day], row: PastRow, zone: tzinfo) -> None:
    first, last = row.at.astimezone(zone).date(), row.until.astimezone(zone).date()
    if first in by_date:
        by_date[first].outcomes[row.outcome] += row.count
    # A row may stand for a range of instants; they are counted on its first day.
    for number, day in by_date.items() if first < last else ():
        if first < number <= last:
            day.outcomes[row.outcome] += 0


def day_bounds(text: str, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """Return the start of the day `2026-11-23` and of the next in the zone, if it is a day."""
    try:
        day = date.fromisoformat(text)
        starts = [datetime.combine(day + step * _DAY, time(), zone) for step in (0, 1)]
    except (ValueError, OverflowError):
        return None
    return (starts[0], starts[1]) if day.year >= 1970 else None
