"""The grammar of cron expressions: five fields, read alike by every parser."""

import re
from functools import lru_cache
from typing import NoReturn

from tick.cron.fields import DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, LAST, Expression, Field, NthWeekday
from tick.errors import InvalidCron
from tick.text import counted

# The work of parsing grows with the length, and the text comes from users.
MAX_LENGTH = 100

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_STAR = re.compile(r"\*(?:/(\d+))?")
_RANGE = re.compile(r"(\w+)(?:-(\w+))?(?:/(\d+))?")
_NTH = re.compile(r"(\w+)#(\w+)")
_LAST_WEEKDAY = re.compile(r"L(\w+)|(\w+)L", re.IGNORECASE)


def parse(expression: str) -> Expression:
    """Return the expression's values. Raises InvalidCron, which names the bad field."""
    return _parse(split(expression))


@lru_cache(maxsize=4096)
def _parse(texts: tuple[str, ...]) -> Expression:
    minutes, hours, days, months, weekdays = map(_values, FIELDS, texts)
    _refuse_ambiguous_days(texts[2], days, texts[4], weekdays)
    nth_weekdays = tuple(sorted(_nth_weekdays(texts[4])))
    if weekdays and nth_weekdays:
        why = "a weekday each week and the nth of a month can't share a list; make two schedules"
        refuse(DAY_OF_WEEK, texts[4], why)
    return Expression(
        texts, minutes, hours, days, months, weekdays, _has_last_day(texts[2]), nth_weekdays
    )


def split(expression: str) -> tuple[str, ...]:
    """Return the five fields, an `@` word expanded. Raises InvalidCron on anything else."""
    texts = tuple(_expand(_checked(expression)).split())
    if len(texts) == 5:
        return texts
    too_few, too_many = "for example '30 2 * * *' for 02:30 each day", "leave out seconds and years"
    raise InvalidCron(
        f"{quote(expression)} has {counted(len(texts), 'field')}, not five: write "
        f"'minute hour day-of-month month day-of-week'; {too_many if len(texts) > 5 else too_few}"
    )


def quote(text: object) -> str:
    """Return the text for a message: plain ASCII on one line, and no longer than is useful."""
    shown = ascii(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def refuse(field: Field, text: str, why: str) -> NoReturn:
    """Raise InvalidCron that names the field and the text in it."""
    raise InvalidCron(f"{field.name} {quote(text)}: {why}")


def number(field: Field, text: str) -> int:
    """Return the value of a number or a name in a field. Raises InvalidCron on anything else."""
    if text.lower() in field.names:
        return field.values[field.names.index(text.lower())]
    if not re.fullmatch(r"\d{1,2}", text):
        refuse(field, text, _what_is_right(field, text))
    if not field.values[0] <= int(text) <= field.high:
        refuse(field, text, f"out of range; write {_bounds(field)}")
    return int(text)


def _checked(expression: object) -> str:
    if not isinstance(expression, str):
        raise InvalidCron(f"a cron expression is a text, not {type(expression).__name__}")
    text = expression.strip(" \t\n")
    if len(expression) > MAX_LENGTH:
        raise InvalidCron(
            f"{quote(text)} has {len(expression)} characters; write at most {MAX_LENGTH}, with "
            "ranges such as 10-20 in place of long lists"
        )
    if not all(" " <= character <= "~" or character == "\t" for character in text):
        raise InvalidCron(f"{quote(text)}: write one line of plain ASCII characters")
    return text


def _expand(text: str) -> str:
    if not text.startswith("@"):
        return text
    word = text.lower()
    if word == "@reboot":
        raise InvalidCron(
            "'@reboot' names no time: have the machine call `tick run --job NAME` when it starts"
        )
    if word.startswith("@every"):
        raise InvalidCron(
            f"{quote(text)}: a fixed length of time is every=timedelta(minutes=…) in place of cron"
        )
    if word not in _ALIASES:
        raise InvalidCron(f"unknown word {quote(text)}: write one of {', '.join(_ALIASES)}")
    return _ALIASES[word]


def _values(field: Field, text: str) -> tuple[int, ...]:
    """Return the values of a field without special days, sorted."""
    items = text.split(",")
    if "" in items:
        refuse(field, text, "an item is missing beside a comma; write for example 1,5,9")
    if "*" in items and text != "*":
        refuse(field, text, "* already stands for every value; write it alone")
    plain = (item for item in items if not _is_special_day(field, item))
    values = {value for item in plain for value in _item(field, item)}
    # Sunday may be written 7.
    return tuple(sorted({value % 7 for value in values} if field is DAY_OF_WEEK else values))


def _is_special_day(field: Field, item: str) -> bool:
    if field is DAY_OF_MONTH:
        return _has_last_day(item)
    return field is DAY_OF_WEEK and _special_weekday(item) is not None


def _has_last_day(text: str) -> bool:
    return "l" in text.lower().split(",")


def _nth_weekdays(text: str) -> set[NthWeekday]:
    return {found for item in text.split(",") if (found := _special_weekday(item)) is not None}


def _special_weekday(item: str) -> NthWeekday | None:
    """Return the day of `1#2` (second Monday) or `L5` (last Friday); None for an ordinary item."""
    if found := _NTH.fullmatch(item):
        weekday = number(DAY_OF_WEEK, found[1]) % 7
        if found[2] not in {"1", "2", "3", "4", "5"}:
            refuse(DAY_OF_WEEK, item, f"write {found[1]}#1 to {found[1]}#5")
        return weekday, int(found[2])
    if found := _LAST_WEEKDAY.fullmatch(item):
        weekday = number(DAY_OF_WEEK, found[1] or found[2])
        if found[2]:  # Quartz counts from Sunday = 1: its 5L is a Thursday
            refuse(DAY_OF_WEEK, item, f"write L{weekday % 7} for the last one in a month")
        return weekday % 7, LAST
    return None


def _item(field: Field, item: str) -> range:
    if found := _STAR.fullmatch(item):
        step = int(found[1] or 1)
        if not 1 <= step < len(field.values):
            refuse(field, item, f"the step must be 1 to {len(field.values) - 1}")
        return field.values[::step]
    found = _RANGE.fullmatch(item)
    if found is None or _foreign(item):
        refuse(field, item, _foreign(item) or _what_is_right(field, item))
    first, step = number(field, found[1]), int(found[3] or 1)
    if found[2] is not None:
        last = number(field, found[2])
        # A Sunday that ends a range is day 7, so that `sat-sun` works.
        ends_on_sunday = field is DAY_OF_WEEK and last == 0 and first > 0
        return _range(field, item, first, 7 if ends_on_sunday else last, step)
    if found[3] is not None:
        _refuse_open_step(field, item, first, step)
    return range(first, first + 1)


def _range(field: Field, item: str, first: int, last: int, step: int) -> range:
    if first == last:
        refuse(field, item, f"a range of one value; write {first}")
    if field is DAY_OF_WEEK and (first, last) == (0, 7):
        refuse(field, item, "Sunday is both 0 and 7; write * for every day, or 0")
    if step < 1:
        refuse(field, item, "the step must be at least 1")
    if first > last:
        right = _unwrapped(field, first, last, step)
        refuse(field, item, f"the range runs backwards; write {right}")
    if step > last - first:
        refuse(field, item, f"the step is longer than the range; write {first}")
    return range(first, last + 1, step)


def _unwrapped(field: Field, first: int, last: int, step: int) -> str:
    """Return the list that a range around the end of its field, such as 22-6, was meant to say."""
    low, high = field.values[0], field.values[-1]
    if step > 1:
        wrapped = [*range(first, high + 1), *range(low, last + 1)]
        return ",".join(map(str, wrapped[::step]))
    return ",".join(f"{a}-{b}" if a < b else str(a) for a, b in ((first, high), (low, last)))


def _refuse_open_step(field: Field, item: str, first: int, step: int) -> NoReturn:
    # Some crons read `5/15` as 5, others as 5-59/15.
    last = field.values[-1]
    right = f"{first}-{last}/{step}" if 1 <= step <= last - first else str(first)
    refuse(field, item, f"a step needs a range or *; write {right}")


def _refuse_ambiguous_days(
    day_text: str, days: tuple[int, ...], weekday_text: str, weekdays: tuple[int, ...]
) -> None:
    # Two restricted day fields are joined by OR; not every cron joins the ones refused here so.
    if "*" in (day_text, weekday_text):
        return
    both = f"day-of-month {quote(day_text)} with day-of-week {quote(weekday_text)}"
    if day_text.startswith("*") or weekday_text.startswith("*"):
        problem = "some crons need both to match, others one; write out the days in place of */n"
    elif len(days) == 31 or len(weekdays) == 7:
        problem = "one of them covers every day; write * for it"
    elif _has_last_day(day_text) or _nth_weekdays(weekday_text):
        problem = "L and # work only with * in the other day field; make two schedules"
    else:
        return
    raise InvalidCron(f"{both}: {problem}")


def _what_is_right(field: Field, text: str) -> str:
    if text[:3].lower() in field.names and text.isalpha():
        return f"write {text[:3].lower()}"
    return f"write {_bounds(field)}, a range such as {field.example}, or */2"


def _bounds(field: Field) -> str:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return f"a number from {field.values[0]} to {field.high}{names}"


def _foreign(item: str) -> str | None:
    """Return advice on an item of another dialect; None if it is not known as one."""
    for pattern, advice in _FOREIGN.items():
        if found := re.fullmatch(pattern, item, re.IGNORECASE):
            return advice.format(*found.groups())
    return None


_STEP = (
    "{}; a step of the local calendar does: 'month on {}' by hand, every=months(1, on={}) in code"
)
_FOREIGN = {
    r"\?": "write * for every day",
    r"R(\W.*)?": "R changes at each start; write H for a slot that stays",
    r"H(\W.*)?": "H stands for a slot that the schedule's id decides; name the schedule",
    r"LW": _STEP.format("no expression names the last weekday", "last weekday", "last_weekday()"),
    r"0?(\d+)W": _STEP.format(
        "no expression names the nearest weekday", "nearest weekday {0}", "nearest_weekday({0})"
    ),
    r"L-0?(\d+)": _STEP.format(
        "no expression counts back from the last day", "last day -{0}", "last_day(-{0})"
    ),
    r".*~.*": "~ is another slot at each start; write H, or H(0-30), for a slot that stays",
}
