"""Times of the week with a beginning and an end, such as `Sun 02:00-04:00`, as cron. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta

from tick.errors import InvalidCron

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY, _WEEK = 24 * 60, 7 * 24 * 60
_TEXT = re.compile(
    r"(?:(?P<days>[a-z]+(?:[-,][a-z]+)*)\s+)?(?P<begin>\d{1,2}:\d{2})\s*-\s*"
    r"(?:(?P<last>[a-z]+)\s+)?(?P<end>\d{1,2}:\d{2})\Z"
)


@dataclass(frozen=True)
class WeeklyTimes:
    """When the times begin, as cron, and end; `length` is theirs without clock changes.

    They end by the clock if there is an `end_cron`, else after that length.
    """

    cron: str
    end_cron: str | None
    length: timedelta


def parse_weekly(text: str) -> WeeklyTimes:
    """Return the times of `Sun 02:00-04:00`, `Mon-Fri 22:00-06:00` or `Fri 20:00-Mon 06:00`.

    Without a day they are those of every day; an end that is not later lies on the next day.
    Raises InvalidCron.
    """
    found = _TEXT.match(" ".join(text.lower().split()))
    if found is None:
        raise InvalidCron(
            f"{text!r} is no time of the week; write such as 'Sun 02:00-04:00', "
            "'Mon-Fri 22:00-06:00', '22:00-06:00' or 'Fri 20:00-Mon 06:00'."
        )
    days = _days(found["days"])
    begin, end = _minutes(found["begin"], _DAY - 1), _minutes(found["end"], _DAY)
    if found["last"] is None:
        length = end - begin + (_DAY if end <= begin else 0)
    else:
        length = _over_days(text, days, begin, _number(found["last"]) * _DAY + end)
    last = begin + length
    ends = sorted((day + last // _DAY) % 7 for day in days)
    return WeeklyTimes(_cron(begin, days), _cron(last % _DAY, ends), timedelta(minutes=length))


def weekly_in_words(cron: str, end_cron: str) -> str:
    """Return the text that `parse_weekly` made the two expressions of."""
    begin, end = cron.split(), end_cron.split()
    days = [int(day) for day in begin[4].split(",")] if begin[4] != "*" else []
    times = f"{_clock(begin)}-"
    if len(days) == 1:
        # What does not end on its day, or in the night after it, names the day on which it does.
        nights = int(_clock(end) <= _clock(begin))
        last = int(end[4])
        times += "" if last == (days[0] + nights) % 7 else f"{_DAYS[last].title()} "
    named = ",".join(_DAYS[day].title() for day in days)
    return f"{named} {times}{_clock(end)}".strip()


def _over_days(text: str, days: list[int], begin: int, end: int) -> int:
    if len(days) != 1:
        raise InvalidCron(f"{text!r} ends on a day of its own: name one day for its beginning.")
    if not (length := (end - days[0] * _DAY - begin) % _WEEK):
        raise InvalidCron(f"{text!r} lasts the whole week: it would leave nothing open.")
    return length


def _days(text: str | None) -> list[int]:
    """Return the days in order of the week, Sunday first, as cron numbers them."""
    if text is None:
        return list(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin = _number(first)
        length = (_number(last) - begin) % 7 if dash else 0
        found.update((begin + number) % 7 for number in range(length + 1))
    return sorted(found)


def _number(name: str) -> int:
    matching = [number for number, day in enumerate(_DAYS) if name.startswith(day)]
    full = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    if not matching or not full[matching[0]].startswith(name):
        raise InvalidCron(f"{name!r} is no weekday; write one of {', '.join(_DAYS)}.")
    return matching[0]


def _minutes(text: str, most: int) -> int:
    hours, minutes = map(int, text.split(":"))
    if minutes > 59 or (total := hours * 60 + minutes) > most:
        raise InvalidCron(f"{text!r} is no time of day; write one from 00:00 to 23:59.")
    return total


def _cron(minute_of_day: int, days: list[int]) -> str:
    named = "*" if len(days) == 7 else ",".join(map(str, days))
    return f"{minute_of_day % 60} {minute_of_day // 60} * * {named}"


def _clock(parts: list[str]) -> str:
    return f"{int(parts[1]):02}:{int(parts[0]):02}"
