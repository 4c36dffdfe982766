"""A calendar's days: which are working days, which are not, and which nobody knows. Pure."""

import json
from dataclasses import asdict, dataclass
from datetime import date, time
from functools import cached_property
from typing import Any

WEEKEND = "weekend"


@dataclass(frozen=True)
class BusinessDays:
    """The days of one calendar from `first` to `until`; what lies outside is unknown.

    Days stand as texts, `20260101 20270101`, by the name of the holiday or by the time of day at
    which a half day ends: so they are short in the rule that carries them, and quick to compare.
    """

    calendar: str
    first: str
    until: str
    weekend: tuple[int, ...] = (5, 6)  # Monday is 0
    holidays: tuple[tuple[str, str], ...] = ()
    half_days: tuple[tuple[str, str], ...] = ()
    # On a weekend, and yet working days: they make up for a long holiday.
    make_up_days: str = ""
    # Whether these are holidays hangs on the moon, or on an announcement still to come.
    estimated: str = ""

    @staticmethod
    def from_plain(values: dict[str, Any]) -> "BusinessDays":
        """Return the days that `to_plain` wrote. Raises TypeError or ValueError on other values."""
        given = dict(values)
        for name in ("holidays", "half_days"):
            given[name] = tuple((key, days) for key, days in sorted(given.get(name, {}).items()))
        given["weekend"] = tuple(given.get("weekend", (5, 6)))
        return BusinessDays(**given)

    def to_plain(self) -> dict[str, Any]:
        """Return plain JSON values; what is empty is left out."""
        values = asdict(self) | {name: dict(getattr(self, name)) for name in _BY_KEY}
        values["weekend"] = list(self.weekend)
        return {name: value for name, value in values.items() if value}

    def to_text(self) -> str:
        """Return the same as compact JSON: equal days give equal text."""
        return json.dumps(self.to_plain(), sort_keys=True, separators=(",", ":"))

    def is_known(self, day: date) -> bool:
        """Return whether the calendar says anything of the day."""
        return self.first <= _text(day) <= self.until

    def is_working(self, day: date) -> bool:
        """Return whether it is a working day; of an unknown day only its weekday decides."""
        return self.why_off(day) is None

    def why_off(self, day: date) -> str | None:
        """Return the name of its holiday, or "weekend"; None on a working day."""
        named = self._names.get(_text(day))
        if named is not None:
            return named
        if day.weekday() in self.weekend and _text(day) not in self._made_up:
            return WEEKEND
        return None

    def is_holiday(self, day: date) -> bool:
        """Return whether it has a holiday's name, on a weekend or not."""
        return _text(day) in self._names

    def is_open(self, day: date, at: time) -> bool:
        """Return whether a time of a day is on a business day, and before a half day is over."""
        closes_at = self.closes_at(day)
        return self.is_working(day) and (closes_at is None or at < closes_at)

    def closes_at(self, day: date) -> time | None:
        """Return when a half day ends; None for any other day."""
        return self._closing.get(_text(day))

    def doubt(self, day: date) -> str | None:
        """Return why it is not certain what the day is; None if it is."""
        if not self.is_known(day):
            first, until = (f"{at[:4]}-{at[4:6]}-{at[6:]}" for at in (self.first, self.until))
            known = f"calendar {self.calendar} is known from {first} to {until}"
            return f"{known}: only the weekday decided"
        if _text(day) in self._estimated:
            return f"calendar {self.calendar} only estimates this day"
        return None

    @cached_property
    def _names(self) -> dict[str, str]:
        return {day: name for name, days in self.holidays for day in days.split()}

    @cached_property
    def _closing(self) -> dict[str, time]:
        return {day: time.fromisoformat(at) for at, days in self.half_days for day in days.split()}

    @cached_property
    def _made_up(self) -> frozenset[str]:
        return frozenset(self.make_up_days.split())

    @cached_property
    def _estimated(self) -> frozenset[str]:
        return frozenset(self.estimated.split())


def _text(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


_BY_KEY = ("holidays", "half_days")
