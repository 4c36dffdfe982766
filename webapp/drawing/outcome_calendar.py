"""Days and what became of a schedule on each, in the zone of whoever looks. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from tick.ops.queries.history import PastRow
from webapp.badges import badge

WEEKS = 13
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = timedelta(days=1)
# Which outcome a day is known by: the worst that it had.
_WORST_FIRST = ("bad", "warn", "live", "wait", "good", "quiet")
_SIGNS = {"bad": "✗", "warn": "!", "live": "▸", "wait": "…", "good": "✓", "quiet": "○"}


@dataclass
class Day:
    """One day: how many instants came to which outcome; 0 for one amid a range that began before.

    `is_known` is false for a day to come, and for one before what was read of the ledger.
    """

    date: date
    is_known: bool
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def tone(self) -> str:
        """The tone of its worst outcome, or nothing."""
        tones = {badge(outcome).tone for outcome in self.outcomes}
        return next((tone for tone in _WORST_FIRST if tone in tones), "")

    @property
    def sign(self) -> str:
        """What stands for that tone beside the colour."""
        return _SIGNS.get(self.tone, "")

    @property
    def words(self) -> str:
        """`Mon 23 Nov: 24 success, 1 failed`."""
        counted = ", ".join(
            f"{number or 'all day'} {badge(outcome).word.lower()}"
            for outcome, number in self.outcomes.most_common()
        )
        name = f"{WEEKDAYS[self.date.weekday()]} {self.date.day} {self.date:%b}"
        return f"{name}: {counted or 'nothing'}"


def outcome_calendar(
    past: Sequence[PastRow], now: datetime, zone: tzinfo, *, complete: bool
) -> list[list[Day]]:
    """WEEKS weeks of seven days, up to this week. `complete`: nothing is older than `past`."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    known_from = date.min if complete or not past else past[0].at.astimezone(zone).date()
    days = [monday + number * _DAY for number in range(7 * WEEKS)]
    by_date = {day: Day(day, known_from <= day <= today) for day in days}
    for row in past:
        _note(by_date, row, zone)
    return [[by_date[day] for day in days[start : start + 7]] for start in range(0, len(days), 7)]


def _note(by_date: dict[date, Day], row: PastRow, zone: tzinfo) -> None:
    first, last = row.at.astimezone(zone).date(), row.until.astimezone(zone).date()
    if first in by_date:
        by_date[first].outcomes[row.outcome] += row.count
    for day in _days_amid(by_date, first, last):
        day.outcomes[row.outcome] += 0


def _days_amid(by_date: dict[date, Day], first: date, last: date) -> Iterable[Day]:
    if first == last:
        return ()
    return (day for number, day in by_date.items() if first < number <= last)


def day_bounds(text: str, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """The start of the day `2026-11-23` and of the next in the zone; None if there is none such."""
    try:
        day = date.fromisoformat(text)
        starts = [datetime.combine(day + step * _DAY, time(), zone) for step in (0, 1)]
    except (ValueError, OverflowError):
        return None
    return (starts[0], starts[1]) if day.year >= 1970 else None
