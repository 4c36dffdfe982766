"""croner (npm): fixed times are made up for once, others follow the wall."""

import re
from collections.abc import Iterator
from datetime import datetime

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading
from tick.cron.dialects.spec import Dates, DayTest, Spec, Weekdays, days, every_day
from tick.cron.dialects.walks import ClockRule, walk_days

_READING = Reading("croner", seconds=True, open_step="refuse", star_weekday=(0, 6))
_FIELDS = ("second", "minute", "hour", "day", "month", "weekday")
_LONGEST_STEPS = (60, 60, 24, 31, 12, 7)
_FIXED = ClockRule("first valid", "first", same_day=True)
_REPEATING = ClockRule("skip", "both")


def read(expression: str) -> Spec:
    """Return what croner reads."""
    texts = [text.replace("?", "*") for text in _READING.split(expression)]
    together, texts[5] = texts[5].startswith("+"), texts[5].removeprefix("+")
    for field, text, longest in zip(_FIELDS, texts, _LONGEST_STEPS, strict=True):
        for step in re.findall(r"/(\d+)", text):
            if int(step) > longest:
                _READING.refuse(field, text, f"a step is at most {longest}")
    by_weekday = every_day if texts[5] == "*" else _weekdays(texts[5])
    both = together or "*" in (texts[3], texts[5])
    seconds, minutes, hours = times = _READING.times(texts)
    single = all(len(values) == 1 for values in times)
    return Spec(
        seconds,
        minutes,
        hours,
        days(
            _READING.values("month", texts[4]), _dates(texts[3]), by_weekday, all if both else any
        ),
        repeating=not single or any(sign in text for text in texts[:3] for sign in "*/"),
    )


def _dates(text: str) -> Dates:
    if text.upper() == "LW":
        return Dates(last_working=True)
    last, nearest = [], []

    def special(item: str) -> bool:
        if item.upper() == "L":
            last.append(0)
            return True
        if match := re.fullmatch(r"(\d+)W", item, re.IGNORECASE):
            nearest.append(_READING.number("day", item, match[1]))
            return True
        return False

    numbers = _READING.values("day", text, special)
    return Dates(frozenset(numbers), frozenset(last), frozenset(nearest))


def _weekdays(text: str) -> DayTest:
    nth, last = [], []

    def special(item: str) -> bool:
        match = re.fullmatch(r"(.+?)(?:#([1-5L])|L)", item, re.IGNORECASE)
        if match is None:
            return False
        for weekday in _READING.values("weekday", match[1]):
            if match[2] is None or match[2] in "Ll":
                last.append(weekday % 7)
            else:
                nth.append((weekday % 7, int(match[2])))
        return True

    numbers = [_sunday_last(item) for item in text.split(",")]
    weekly = _READING.values("weekday", ",".join(numbers), special)
    return Weekdays(frozenset(each % 7 for each in weekly), frozenset(nth), frozenset(last))


def _sunday_last(item: str) -> str:
    return re.sub("-sun", "-7", item, flags=re.IGNORECASE)


def walk(spec: Spec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when croner fires."""
    return walk_days(spec, clock, after, _FIXED, _REPEATING)
