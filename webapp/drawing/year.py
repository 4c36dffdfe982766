"""A year of a calendar: what each of its days is. Pure."""

from calendar import Calendar as Weeks
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tick.ops.queries.calendars import Calendar

# A day by its kind: the sign that stands beside its colour, and the word for it.
KINDS = {
    "working": ("", "working day"),
    "weekend": ("", "weekend day"),
    "holiday": ("✶", "holiday"),
    "half": ("½", "half day"),
    "made-up": ("+", "working weekend"),
    "unknown": ("?", "unknown"),
}
_HALF = "half day"


@dataclass(frozen=True)
class YearDay:
    """A day: its kind, the name of its holiday, and whether that is only estimated."""

    date: date
    kind: str
    name: str | None = None
    estimated: bool = False

    @property
    def sign(self) -> str:
        """Return the sign beside its number."""
        return "~" if self.estimated else KINDS[self.kind][0]

    @property
    def words(self) -> str:
        """Return `Fri 25 Dec: Christmas Day (estimated)`."""
        said = self.name or KINDS[self.kind][1]
        return f"{self.date:%a} {self.date.day} {self.date:%b}: {said}" + (
            " (estimated)" if self.estimated else ""
        )


@dataclass(frozen=True)
class YearMonth:
    """A month: its weeks from Monday, None where a day belongs to another month."""

    first: date
    weeks: tuple[tuple[YearDay | None, ...], ...]


def year_months(calendar: Calendar) -> list[YearMonth]:
    """Return the twelve months of the calendar's year."""
    named = {each.date: each for each in calendar.holidays}
    weeks = Weeks()

    def day(of: date) -> YearDay:
        holiday = named.get(of)
        if holiday is None:
            return YearDay(of, _kind(calendar, of))
        kind = "half" if holiday.name.startswith(_HALF) else "holiday"
        return YearDay(of, kind, holiday.name, holiday.estimated)

    return [
        YearMonth(
            date(calendar.year, month, 1),
            tuple(
                tuple(day(each) if each.month == month else None for each in week)
                for week in weeks.monthdatescalendar(calendar.year, month)
            ),
        )
        for month in range(1, 13)
    ]


def year_counts(months: list[YearMonth]) -> dict[str, int]:
    """Return how many days of the year are of each kind, in words."""
    found = Counter(day.kind for day in _days(months))
    return {KINDS[kind][1]: found[kind] for kind in KINDS if found[kind]}


def _days(months: list[YearMonth]) -> Iterator[YearDay]:
    for month in months:
        for week in month.weeks:
            yield from (day for day in week if day is not None)


def _kind(calendar: Calendar, day: date) -> str:
    first, until = calendar.known_from, calendar.known_until
    if first is None or until is None or not first <= day <= until:
        return "unknown"
    if day in calendar.working_weekends:
        return "made-up"
    return "weekend" if f"{day:%A}" in calendar.weekend else "working"
