"""`days`, `weeks` and `months`: steps of a schedule by the calendar of its zone. Pure."""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from tick.define.month_days import MONTH_DAYS, as_written
from tick.define.wrong_values import in_number
from tick.policy.business_days import BusinessDays
from tick.policy.local_steps import DEFAULT_ANCHOR, LocalStep
from tick.policy.month_steps import MonthDay, MonthStep

# Ten years, as for every length.
_MOST = {"days": 3660, "weeks": 520, "months": 120}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z")
_WORDS = re.compile(r"(?:(\d{1,9})\s+)?(day|week|month)s?(?:\s+on\s+(\S.*?))?(?:\s+at\s+(\S+))?\Z")


@dataclass(frozen=True, slots=True)
class Step:
    """Every so many days, weeks or months of the local calendar, as an author wrote it."""

    unit: str
    number: int
    at: str = "00:00"
    on: str | int | None = None

    def in_words(self) -> str:
        """Return it as `step_from_words` reads it: `2 weeks on mon at 09:00`."""
        on = "" if self.on is None else f" on {self.on}"
        unit = self.unit.removesuffix("s") if self.number == 1 else self.unit
        return f"{self.number} {unit}{on} at {self.at}"

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON values: `{"weeks": 2, "on": "mon", "at": "09:00"}`."""
        on = {} if self.on is None else {"on": self.on}
        return {self.unit: self.number, **on, "at": self.at}


def days(number: int = 1, *, at: str = "00:00") -> Step:
    """Return steps of so many days at a time of day: `days(2, at="09:00")`."""
    return Step("days", number, at)


def weeks(number: int = 1, *, on: str | None = None, at: str = "00:00") -> Step:
    """Return steps of so many weeks: `weeks(2, on="mon", at="09:00")`.

    Without `on`, it is the weekday of the schedule's `anchor`, or Monday.
    """
    return Step("weeks", number, at, on)


def months(number: int = 1, *, on: str | int | None = None, at: str = "00:00") -> Step:
    """Return steps of so many months: `months(1, on=31, at="18:00")` is each month's last day.

    `on` is a day, or `business_day(3)`, `last_day(-3)`, `nearest_weekday(15)`, `last_weekday()`.
    Without it, it is the day of the schedule's `anchor`, or the first.
    """
    return Step("months", number, at, as_written(on))


def step_from_plain(values: Mapping[str, Any]) -> Step:
    """Return the step of `to_plain`. Raises ValueError for anything else."""
    given = {name: value for name, value in values.items() if value is not None}
    units = [name for name in _MOST if name in given]
    if len(units) != 1 or given.keys() - {units[0], "at", "on"}:
        raise ValueError(
            f"every {dict(values)!r} is no step; write "
            '{"days": 2, "at": "09:00"}, {"weeks": 2, "on": "mon"} or {"months": 1, "on": 31}'
        )
    return Step(units[0], given[units[0]], given.get("at", "00:00"), as_written(given.get("on")))


def step_from_words(text: str) -> Step | None:
    """Return the step of `2 weeks on mon at 09:00`; None if the text is none."""
    found = _WORDS.match(text.strip().lower())
    if found is None:
        return None
    number, unit, on, at = found.groups()
    return Step(f"{unit}s", int(number or 1), at or "00:00", as_written(on))


def find_in_step(step: Step) -> Iterator[str]:
    """Yield the mistakes in a step."""
    yield from in_number(f"every {step.unit}(…)", step.number, 1, _MOST[step.unit])
    if not isinstance(step.at, str) or _TIME.match(step.at) is None:
        yield f'every {step.unit}(…): at {step.at!r} is no time of day; write at="09:00".'
    if step.on is None:
        return
    if step.unit == "weeks" and step.on not in _WEEKDAYS:
        yield f"every weeks(…): on {step.on!r} is none of {', '.join(_WEEKDAYS)}."
    elif step.unit == "months":
        yield from _in_month_day(step.on)
    elif step.unit == "days":
        yield 'every days(…) takes no on; write weeks(…, on="mon") or months(…, on=31).'


def _in_month_day(on: object) -> Iterator[str]:
    if not isinstance(on, str):
        yield from in_number("every months(…): on", on, 1, 31)
        return
    try:
        MonthDay.from_text(on)
    except ValueError:
        yield f"every months(…): on {on!r} is no day of a month; write 1 to 31, or {MONTH_DAYS}."


def goes_by_calendar(step: object) -> bool:
    """Return whether the schedule's calendar says on which day a step is."""
    on = step.on if isinstance(step, Step) and step.unit == "months" else None
    return isinstance(on, str) and MonthDay.from_text(on).goes_by_calendar


def counted_from(
    step: Step, anchor: date | None, calendar: BusinessDays | None = None
) -> LocalStep | MonthStep:
    """Return a step as the rule counts it: from its first day on or after the anchor.

    A day of the month that is not a number is counted from the anchor's month: which of them a
    step leaves out must not hang on a calendar.
    """
    start = anchor or DEFAULT_ANCHOR
    hour, minute = step.at.split(":")
    at = time(int(hour), int(minute))
    if step.unit == "months" and isinstance(step.on, str):
        day = MonthDay.from_text(step.on)
        return MonthStep(start, at, step.number, day, calendar if day.goes_by_calendar else None)
    if step.unit == "months":
        return _months_from(step, start, at, start.day if step.on is None else int(step.on))
    if step.unit == "days":
        return LocalStep(start, at, days=step.number)
    on = step.on or ("mon" if anchor is None else _WEEKDAYS[start.weekday()])
    wait = (_WEEKDAYS.index(str(on)) - start.weekday()) % 7
    return LocalStep(start + timedelta(days=wait), at, days=7 * step.number)


def _months_from(step: Step, start: date, at: time, day: int) -> LocalStep:
    first = _in_month(start.year, start.month, day)
    if first < start:
        year, month = divmod(start.year * 12 + start.month, 12)
        first = _in_month(year, month + 1, day)
    return LocalStep(first, at, months=step.number, month_day=day)


def _in_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))
