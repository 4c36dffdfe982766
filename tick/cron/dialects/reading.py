"""The ways in which engines read the items of a field, as data, and one reader for all."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from tick.cron.grammar import quote
from tick.errors import InvalidCron

# The work of parsing grows with the length, and the text comes from users.
MAX_LENGTH = 1000

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NAMES = {
    "month": {name: number for number, name in enumerate(MONTHS, 1)},
    "weekday": {name: number for number, name in enumerate(WEEKDAYS)},
}
BOUNDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "weekday": (0, 7),
}
ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FIVE = ("minute", "hour", "day", "month", "weekday")
_ITEM = re.compile(r"([*?]|\w+)(?:-(\w+))?(?:/(\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """The items that one engine accepts in a field, and their meaning."""

    engine: str
    seconds: bool = False  # a sixth field may stand in front
    stars: str = "*"  # which characters stand for all values
    weekday: tuple[int, int] = (0, 7)  # the numbers that may be written
    star_weekday: tuple[int, int] = (0, 7)  # the numbers that a star stands for
    backwards: str = "refuse"  # a range that runs backwards: refuse, wrap, empty
    open_step: str = "end"  # 5/15: to the end, once, refuse
    long_step: bool = True  # a step longer than its range is accepted
    aliases: tuple[str, ...] = tuple(ALIASES)
    sunday_ends: bool = False  # a range to sun ends on day 7
    shift: int = 0  # how many days after Sunday the number 0 is, for names

    def split(self, expression: str) -> list[str]:
        """Return the fields, seconds first where it has them; five as six with second 0."""
        text = one_line(self.engine, expression)
        if text.startswith("@"):
            text = self.expand(text)
        fields = text.split()
        wanted = (5, 6) if self.seconds else (5,)
        if len(fields) not in wanted:
            need = "five or six fields" if self.seconds else "five fields"
            raise InvalidCron(f"{self.engine} reads {need}, not {len(fields)}: {quote(text)}")
        return fields if len(fields) == 6 else ["0", *fields]

    def expand(self, word: str) -> str:
        """Return the five fields that an `@` word stands for."""
        found = ALIASES.get(word.lower()) if word.lower() in self.aliases else None
        if found is None:
            raise InvalidCron(f"{self.engine} knows no {quote(word)}; write its five fields")
        return found

    def values(
        self, field: str, text: str, special: Callable[[str], bool] | None = None
    ) -> list[int]:
        """Return the values in the order in which they are written, Sunday as 0 or as 7.

        Items that `special` takes are left out.
        """
        found: list[int] = []
        for item in text.split(","):
            if not (special and special(item)):
                found += self._item(field, item)
        return found

    def _item(self, field: str, item: str) -> list[int]:
        match = _ITEM.fullmatch(item)
        if match is None:
            self.refuse(field, item, "write numbers, ranges and steps")
        first, last, step_text = match.groups()
        low, high = self.bounds(field)
        step = int(step_text or 1)
        if step == 0:
            self.refuse(field, item, "the step must be at least 1")
        if first in self.stars:
            if last:
                self.refuse(field, item, "a star has no range")
            bottom, top = self.star_weekday if field == "weekday" else (low, high)
            return self._range(field, item, bottom, top, step)
        start = self.number(field, item, first)
        if last is not None:
            end = self.number(field, item, last)
            if self.sunday_ends and field == "weekday" and end == 0 < start:
                end = 7
            return self._range(field, item, start, end, step)
        if step_text is None or self.open_step == "once":
            return [start]
        if self.open_step == "refuse":
            self.refuse(field, item, f"a step needs a range or *; write {first}-{high}/{step}")
        end = self.star_weekday[1] if field == "weekday" else high
        return self._range(field, item, start, end, step)

    def _range(self, field: str, item: str, first: int, last: int, step: int) -> list[int]:
        low, high = self.bounds(field)
        if step > last - first and not self.long_step and step > 1:
            self.refuse(field, item, "the step is longer than the range")
        if first <= last:
            return list(range(first, last + 1, step))
        if self.backwards == "refuse":
            self.refuse(field, item, "the range runs backwards; write it as two")
        if self.backwards == "empty":
            return []
        top = min(high, 6) if field == "weekday" else high
        return [*range(first, top + 1), *range(low, last + 1)][::step]

    def times(self, texts: Sequence[str]) -> tuple[tuple[int, ...], ...]:
        """Return the values of the first three fields, sorted: seconds, minutes, hours."""
        fields = ("second", "minute", "hour")
        return tuple(
            tuple(sorted(set(self.values(*each)))) for each in zip(fields, texts, strict=False)
        )

    def number(self, field: str, item: str, text: str) -> int:
        """Return the value of a number or a name. Raises InvalidCron for anything else."""
        names = NAMES.get(field, {})
        if text.lower() in names:
            shift = self.shift if field == "weekday" else 0
            value = names[text.lower()] - shift
            return value % 7 if shift else value
        low, high = self.bounds(field)
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            self.refuse(field, item, f"write numbers from {low} to {high}")
        return int(text)

    def bounds(self, field: str) -> tuple[int, int]:
        """Return the least and the greatest number of a field."""
        return self.weekday if field == "weekday" else BOUNDS[field]

    def refuse(self, field: str, text: str, why: str) -> NoReturn:
        """Raise InvalidCron that names engine, field and text."""
        raise InvalidCron(f"{self.engine} refuses {field} {quote(text)}: {why}")


def one_line(engine: str, expression: object) -> str:
    """Return the text without spaces around. Raises InvalidCron if it is none, or too long."""
    if not isinstance(expression, str):
        raise InvalidCron(f"an expression is a text, not {type(expression).__name__}")
    if len(expression) > MAX_LENGTH:
        raise InvalidCron(
            f"the expression for {engine} has {len(expression)} characters; write at most "
            f"{MAX_LENGTH}, with ranges in place of long lists"
        )
    if not expression.isascii() or not expression.replace("\t", " ").isprintable():
        raise InvalidCron(f"{quote(expression)}: write one line of plain ASCII characters")
    return expression.strip()
