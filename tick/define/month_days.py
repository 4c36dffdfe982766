"""Days of a month for `months(1, on=…)`: functions, and the spellings of each. Pure."""

import re
from collections.abc import Callable
from typing import Any

from tick.policy.month_steps import MonthDay, MonthDayKind

MONTH_DAYS = "business day 3, last day -3, nearest weekday 15, last weekday"
FUNCTIONS = ("business_day", "last_day", "nearest_weekday", "last_weekday")


def business_day(number: int) -> str:
    """Return the business day of that number in each month; -1 is the last one.

    By the schedule's calendar, or else from Monday to Friday.
    """
    return f"{MonthDayKind.BUSINESS_DAY} {number}"


def last_day(before: int = 0) -> str:
    """Return each month's last day, or one before it: `last_day(-3)` is the 28th of a March."""
    return f"{MonthDayKind.LAST_DAY} {before}" if before else str(MonthDayKind.LAST_DAY)


def nearest_weekday(day: int) -> str:
    """Return the day from Monday to Friday that is nearest to a day, within its month."""
    return f"{MonthDayKind.NEAREST_WEEKDAY} {day}"


def last_weekday() -> str:
    """Return each month's last day from Monday to Friday."""
    return str(MonthDayKind.LAST_WEEKDAY)


def as_written(on: Any) -> Any:
    """Return `on` as it is stored, whichever way it is spelled; what is none stays as it is.

    Known are `3rd business day`, `last business day`, and `L`, `L-3`, `15W`, `LW` of other crons.
    """
    if not isinstance(on, str):
        return on
    text = " ".join(on.lower().split()).removeprefix("the ")
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return int(text)
    for pattern, read in _SPELLINGS:
        if found := re.fullmatch(pattern, text, re.ASCII):
            return read(found)
    return text


def as_call(on: str) -> str:
    """Return the call that makes it: `business_day(3)`. Raises ValueError if it is no such day."""
    day = MonthDay.from_text(on)
    return f"{day.kind.replace(' ', '_')}({day.number or ''})"


_SPELLINGS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"l", lambda _: last_day()),
    (r"l-(\d{1,2})", lambda found: last_day(-int(found[1]))),
    (r"lw", lambda _: last_weekday()),
    (r"(\d{1,2})w", lambda found: nearest_weekday(int(found[1]))),
    (r"(\d{1,2})(?:st|nd|rd|th) business day", lambda found: business_day(int(found[1]))),
    (r"last business day", lambda _: business_day(-1)),
)
