"""Reads a description of a cron expression as a person would, knowing nothing of the expression."""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [datetime(2026, month, 1).strftime("%B") for month in range(1, 13)]
NTH = ["first", "second", "third", "fourth", "fifth"]
_CLAUSES = re.compile(r", (?=only in |on |or on |between |in the hours )")


@dataclass(frozen=True)
class Reading:
    """What the words promise: times of day as (hour, minute), months, and which days."""

    times: frozenset[tuple[int, int]]
    months: frozenset[int]
    days: tuple[Callable[[date], bool], ...]

    def matches_day(self, day: date) -> bool:
        """Whether it fires on the day; of several clauses on days one has to hold."""
        return day.month in self.months and (
            not self.days or any(holds(day) for holds in self.days)
        )


def read(text: str) -> Reading:
    """The reading of a description without its zone. Raises ValueError for unknown words."""
    first, *clauses = _CLAUSES.split(text)
    hours = set(range(24))
    months = frozenset(range(1, 13))
    days: list[Callable[[date], bool]] = []
    for clause in clauses:
        if found := re.fullmatch(r"between (\d\d):00 and (\d\d):59", clause):
            hours = set(range(int(found[1]), int(found[2]) + 1))
        elif found := re.fullmatch(r"in the hours (.*)", clause):
            hours = set(_listed(found[1], int))
        elif found := re.fullmatch(r"only in (.*)", clause):
            months = frozenset(_listed(found[1], lambda name: MONTHS.index(name) + 1))
        else:
            assert clause.startswith("or ") == bool(days), text
            days.append(_days(clause.removeprefix("or ").removeprefix("on ")))
    return Reading(_times(first, hours), months, tuple(days))


def _times(words: str, hours: set[int]) -> frozenset[tuple[int, int]]:
    if found := re.fullmatch(r"At (\d\d:\d\d.*)", words):
        return frozenset(_listed(found[1], lambda at: (int(at[:2]), int(at[3:]))))
    if found := re.fullmatch(r"Every hour from (\d\d):00 through (\d\d):00", words):
        return frozenset((hour, 0) for hour in range(int(found[1]), int(found[2]) + 1))
    if found := re.fullmatch(r"Every (\d+) hours", words):
        return frozenset((hour, 0) for hour in range(0, 24, int(found[1])))
    return frozenset((hour, minute) for hour in hours for minute in _minutes(words))


def _minutes(words: str) -> list[int]:
    if words in ("Every minute", "Every hour"):
        return list(range(60)) if words == "Every minute" else [0]
    if found := re.fullmatch(r"Every (\d+) minutes", words):
        assert 60 % int(found[1]) == 0, f"{words!r} is no even pace"
        return list(range(0, 60, int(found[1])))
    if found := re.fullmatch(r"Every (\d+) minutes from (\d+) to (\d+) past the hour", words):
        return list(range(int(found[2]), int(found[3]) + 1, int(found[1])))
    if found := re.fullmatch(r"At (.*) minutes past the hour", words):
        return _listed(found[1], int)
    raise ValueError(f"no reading of {words!r}")


def _days(clause: str) -> Callable[[date], bool]:
    if clause.startswith("day ") or clause.startswith("the last day "):
        text = clause.removesuffix(" of the month").removeprefix("day ")
        parts = [part for part in _split(text) if part != "the last day"]
        numbers = _listed(", ".join(parts), int) if parts else []
        last = "the last day" in text
        return lambda day: day.day in numbers or (last and day.day == _length(day))
    if clause.endswith(" of the month"):
        nths = [part.split()[1:] for part in _split(clause.removesuffix(" of the month"))]
        return lambda day: any(_is_nth(day, nth, name) for nth, name in nths)
    weekdays = _listed(clause, WEEKDAYS.index)
    return lambda day: day.weekday() in weekdays


def _is_nth(day: date, nth: str, weekday: str) -> bool:
    if WEEKDAYS[day.weekday()] != weekday:
        return False
    return day.day + 7 > _length(day) if nth == "last" else NTH.index(nth) == (day.day - 1) // 7


def _length(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _split(text: str) -> list[str]:
    return re.split(r", | and ", text)


def _listed(text: str, number: Callable[[str], Any]) -> list[Any]:
    """The values of a list in words; `a through b` holds all from the one to the other."""
    found: list[Any] = []
    for part in _split(text):
        first, _, last = part.partition(" through ")
        found += range(number(first), number(last) + 1) if last else [number(first)]
    return found
