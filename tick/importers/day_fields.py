"""Our three day fields for the days that another engine's expression names, found by trying. Pure.

Which days those are is asked of the engine's own reading, over 28 years: it doesn't matter by which
grammar it got them.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date
from functools import lru_cache
from itertools import product
from typing import TypeVar

from tick.cron.dialects.plain_days import days_of_28_years
from tick.cron.dialects.spec import (
    is_last_of_its_weekday,
    last_day,
    nth_of_its_weekday,
    weekday_of,
)
from tick.cron.fields import DAY_OF_MONTH, DAY_OF_WEEK, MONTH, Field

Key = TypeVar("Key", bound=Hashable)
DayFields = tuple[str, str, str]
_Tried = list[tuple[date, bool]]


@lru_cache(maxsize=512)
def day_fields(matching: bytes) -> DayFields | None:
    """Return day-of-month, month and day-of-week; None where no expression of ours names them."""
    kinds: dict[tuple[int, int, int, int], tuple[date, bool]] = {}
    for day, fits in zip(days_of_28_years(), map(bool, matching), strict=True):
        kind = (day.month, day.day, weekday_of(day), last_day(day))
        # Years, or every second week: no day fields tell these days apart.
        if kinds.setdefault(kind, (day, fits))[1] != fits:
            return None
    months = {day.month for day, fits in kinds.values() if fits}
    inside = [each for each in kinds.values() if each[0].month in months]
    month = listed(MONTH, months)
    for dates, weekdays in _forms(inside):
        return dates, month, weekdays
    return None


def _forms(inside: _Tried) -> Iterator[tuple[str, str]]:
    if all(fits for _, fits in inside):
        yield "*", "*"
    dates, some_dates = _always({day.day for day, _ in inside}, inside, _number)
    weekdays, some = _always(range(7), inside, weekday_of)
    if dates == some_dates and dates:
        yield listed(DAY_OF_MONTH, dates, stars=False), "*"
    if weekdays == some and weekdays:
        yield "*", listed(DAY_OF_WEEK, weekdays)
    if dates and weekdays and _fits(inside, lambda d: d.day in dates or weekday_of(d) in weekdays):
        yield listed(DAY_OF_MONTH, dates, stars=False), listed(DAY_OF_WEEK, weekdays)
    yield from _special(inside)


def _special(inside: _Tried) -> Iterator[tuple[str, str]]:
    others = [(day, fits) for day, fits in inside if day.day != last_day(day)]
    dates, _ = _always({day.day for day, _ in others}, others, _number)
    if _fits(inside, lambda day: day.day in dates or day.day == last_day(day)):
        yield ",".join([listed(DAY_OF_MONTH, dates, stars=False), "L"] if dates else ["L"]), "*"
    nths = [*product(range(7), range(1, 6))]
    which, _ = _always(nths, inside, lambda day: (weekday_of(day), nth_of_its_weekday(day)))
    lasts = [(day, fits) for day, fits in inside if is_last_of_its_weekday(day)]
    last, _ = _always(range(7), lasts, weekday_of)

    def special(day: date) -> bool:
        of_weekday = weekday_of(day)
        is_last = of_weekday in last and is_last_of_its_weekday(day)
        return is_last or (of_weekday, nth_of_its_weekday(day)) in which

    if _fits(inside, special):
        # The fifth is always the last.
        names = [f"{day}#{nth}" for day, nth in sorted(which) if nth < 5 or day not in last]
        yield "*", ",".join([*names, *(f"L{day}" for day in sorted(last))])


def _number(day: date) -> int:
    return day.day


def _always(
    keys: Iterable[Key], tried: _Tried, key_of: Callable[[date], Key]
) -> tuple[set[Key], set[Key]]:
    """Return the keys all of whose days match, and those of which some do."""
    some = {key_of(day) for day, fits in tried if fits}
    return set(keys) - {key_of(day) for day, fits in tried if not fits}, some


def _fits(tried: _Tried, test: Callable[[date], bool]) -> bool:
    return all(test(day) == fits for day, fits in tried)


def listed(field: Field, values: Iterable[int], *, stars: bool = True) -> str:
    """Return the values of a field as text: `*`, `*/5`, `1-5`, `8-18/2` or a list."""
    wanted = sorted(set(values))
    if stars and wanted == list(field.values):
        return "*"
    step = wanted[1] - wanted[0] if len(wanted) > 2 else 0
    if step > 1 and wanted == list(range(wanted[0], wanted[-1] + 1, step)):
        if stars and wanted == list(field.values[::step]):
            return f"*/{step}"
        return f"{wanted[0]}-{wanted[-1]}/{step}"
    return ",".join(_ranges(wanted))


def _ranges(wanted: list[int]) -> Iterator[str]:
    start = 0
    for at in range(1, len(wanted) + 1):
        if at == len(wanted) or wanted[at] != wanted[at - 1] + 1:
            first, last = wanted[start], wanted[at - 1]
            yield from (f"{first}-{last}",) if last > first + 1 else map(str, wanted[start:at])
            start = at
