"""A cron expression in plain words. Pure."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from tick.cron.fields import LAST, Expression

_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
# Not `calendar`'s names: those follow the process's locale.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_FEW = 6
_RUN = 3


@lru_cache(maxsize=4096)
def in_words(expression: Expression) -> str:
    """Return English words with times on the 24-hour clock, without the time zone."""
    # From the values that fire, not from the text: `*/40` is no even pace.
    when = _times(expression.minutes, expression.hours)
    days, weekdays = _days(expression), _weekdays(expression)
    months = _months(expression.months)
    if days and weekdays:
        # The months come first, for they hold for both.
        return ", ".join(filter(None, [when, months, f"{days}, or on {weekdays}"]))
    return ", ".join(filter(None, [when, days or (weekdays and f"on {weekdays}"), months]))


def either_day(expression: Expression) -> str | None:
    """Return advice if a week of the month and a weekday are joined by OR; None otherwise."""
    # `0 0 1-7 * MON` is the classic mistake for the first Monday of the month.
    nth = _WEEKS.get(expression.days)
    if nth is None or len(expression.weekdays) != 1:
        return None
    weekday = expression.weekdays[0]
    minute, hour, _, month, _ = expression.texts
    special = f"L{weekday}" if nth == LAST else f"{weekday}#{nth}"
    return (
        f"it fires on those days and on every {_WEEKDAYS[weekday]}; for the {_ORDINALS[nth]} "
        f"{_WEEKDAYS[weekday]} of the month write '{minute} {hour} * {month} {special}'"
    )


_WEEKS = {tuple(range(7 * nth - 6, 7 * nth + 1)): nth for nth in range(1, 5)} | {
    tuple(range(25, 32)): LAST
}


def _times(minutes: Sequence[int], hours: Sequence[int]) -> str:
    if len(hours) == 24:
        return _minutes(minutes)
    stretches = list(_runs(hours))
    if minutes == (0,) and (step := _even_step(hours, 24)):
        return f"Every {step} hours"
    if minutes == (0,) and len(stretches) == 1 and len(hours) > _FEW:
        return f"Every hour from {hours[0]:02}:00 through {hours[-1]:02}:00"
    if len(minutes) * len(hours) <= _FEW or (len(minutes) == 1 and len(stretches) > 1):
        return f"At {_listed([f'{hour:02}:{minute:02}' for hour in hours for minute in minutes])}"
    if len(stretches) == 1:
        return f"{_minutes(minutes)}, between {hours[0]:02}:00 and {hours[-1]:02}:59"
    return f"{_minutes(minutes)}, in the hours {_ranges(hours, '{:02}'.format)}"


def _minutes(minutes: Sequence[int]) -> str:
    """Return the words for minutes of every hour."""
    if len(minutes) == 60:
        return "Every minute"
    if step := _even_step(minutes, 60):
        return f"Every {step} minutes"
    if minutes == (0,):
        return "Every hour"
    if step := _long_step(minutes):
        return f"Every {step} minutes from {minutes[0]} to {minutes[-1]} past the hour"
    return f"At {_ranges(minutes)} minutes past the hour"


def _days(expression: Expression) -> str:
    if len(expression.days) == 31 or not (expression.days or expression.last_day):
        return ""
    last = ["the last day"] if expression.last_day else []
    listed = [f"day {_ranges(expression.days)}"] if expression.days else []
    return f"on {_listed(listed + last)} of the month"


def _weekdays(expression: Expression) -> str:
    if expression.nth_weekdays:
        days = [f"the {_ORDINALS[nth]} {_weekday(day)}" for day, nth in expression.nth_weekdays]
        return f"{_listed(days)} of the month"
    if len(expression.weekdays) == 7:
        return ""
    # The week begins on Monday, so that Friday to Sunday is one stretch.
    return _ranges(sorted(day or 7 for day in expression.weekdays), _weekday)


def _months(months: Sequence[int]) -> str:
    names = _ranges(months, lambda number: _MONTHS[number - 1])
    return "" if len(months) == 12 else f"only in {names}"


def _weekday(number: int) -> str:
    return _WEEKDAYS[number % 7]


def _even_step(values: Sequence[int], size: int) -> int | None:
    """Return the distance between all values, if it is the same from the last to the first."""
    step = size // len(values)
    is_even = len(values) > 1 and tuple(values) == tuple(range(0, size, step))
    return step if is_even and size % len(values) == 0 else None


def _long_step(values: Sequence[int]) -> int | None:
    """Return the even distance of values too many to list; None if it is 1, or uneven."""
    step = values[1] - values[0] if len(values) > 2 * _FEW else 1
    is_even = step > 1 and tuple(values) == tuple(range(values[0], values[-1] + 1, step))
    return step if is_even else None


def _ranges(values: Sequence[int], shown: Callable[[int], str] = str) -> str:
    """Return the values as they are shown; three or more in a row as a range."""
    words: list[str] = []
    for run in _runs(values):
        is_long = len(run) >= _RUN
        words += [f"{shown(run[0])} through {shown(run[-1])}"] if is_long else map(shown, run)
    return _listed(words)


def _runs(values: Sequence[int]) -> Iterator[list[int]]:
    """Yield the values in lists of neighbours."""
    run: list[int] = []
    for value in values:
        if run and value != run[-1] + 1:
            yield run
            run = []
        run.append(value)
    yield run


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
