"""A cron expression in plain words. Pure.

cron-descriptor writes the words; what it would describe wrongly is put differently first.
"""

from functools import lru_cache

from cron_descriptor import Options, get_description

from tick.policy.cron_fields import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOUR,
    LAST,
    MINUTE,
    MONTH,
    Expression,
    Field,
    NthWeekday,
)

_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_FEW = 6


@lru_cache(maxsize=4096)
def in_words(expression: Expression) -> str:
    """English words with times on the 24-hour clock, without the time zone."""
    minute, hour, day, month, weekday = expression.texts
    text = " ".join(
        [
            _honest(MINUTE, minute, expression.minutes),
            _honest(HOUR, hour, expression.hours),
            "*" if expression.last_day else _honest(DAY_OF_MONTH, day, expression.days),
            _honest(MONTH, month, expression.months),
            "*" if expression.nth_weekdays else _honest(DAY_OF_WEEK, weekday, expression.weekdays),
        ]
    )
    special = _special_days(expression)
    return f"{_describe(text)}, on {_listed(special)} of the month" if special else _describe(text)


def _describe(text: str) -> str:
    options = Options()
    options.use_24hour_time_format = True
    options.locale_code = "en_US"
    return str(get_description(text, options))


def _honest(field: Field, text: str, values: tuple[int, ...]) -> str:
    """The field such that cron-descriptor's words for it are true.

    It calls `*/40` "every 40 minutes" (it is :00 and :40) and days by step "every n days".
    """
    if len(values) == len(field.values):
        return "*"
    if "/" not in text or _is_even_pace(field, text):
        return text
    return ",".join(map(str, values))


def _is_even_pace(field: Field, text: str) -> bool:
    """Whether a step is the true distance between all runs that the words name."""
    if field not in (MINUTE, HOUR) or "," in text:
        return False
    size, step = len(field.values), int(text.rpartition("/")[2])
    if text.startswith("*"):
        return size % step == 0
    return size // step > _FEW


def _special_days(expression: Expression) -> list[str]:
    days = [f"day {day}" for day in expression.days] if expression.last_day else []
    if expression.last_day:
        days.append("the last day")
    return days + [_nth(special) for special in expression.nth_weekdays]


def _nth(special: NthWeekday) -> str:
    return f"the {_ORDINALS[special.nth]} {_WEEKDAYS[special.weekday]}"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
