"""cron-parser 5 (npm): it steps through local time, and remembers which hours a step skipped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.luxon_time import LuxonTime
from tick.cron.dialects.reading import FIVE, Reading
from tick.cron.dialects.spec import Dates, DayTest, Weekdays, sunday_zero

_READING = Reading("cron-parser", seconds=True, stars="*?")
_MOST_STEPS = 10000
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class ParserSpec:
    """Sorted values, and the test of a day without its month."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    by_date: DayTest
    by_weekday: DayTest
    starred: tuple[bool, bool]

    def matches_day(self, day: datetime) -> bool:
        """Return whether the two day fields fit: either, where neither is a lone star."""
        dates_starred, weekdays_starred = self.starred
        if weekdays_starred:
            return self.by_date(day)
        if dates_starred:
            return self.by_weekday(day)
        return self.by_date(day) or self.by_weekday(day)


def read(expression: str) -> ParserSpec:
    """Return what cron-parser 5 reads."""
    aliases = {
        "@minutely": "0 * * * * *",
        "@secondly": "* * * * * *",
        "@weekdays": "0 0 0 * * 1-5",
        "@weekends": "0 0 0 * * 0,6",
    }
    texts = _READING.split(aliases.get(expression, expression))
    seconds, minutes, hours = _READING.times(texts)
    months = frozenset(_READING.values("month", texts[4]))
    starred = (texts[3] in ("*", "?"), texts[5] in ("*", "?"))
    dates = _dates(texts[3])
    longest = max(_LONGEST[month - 1] for month in months)
    alone = starred[1] and not dates.before_last
    if alone and dates.numbers and min(dates.numbers) > longest:
        _READING.refuse("day", texts[3], "it never comes in these months")
    for field, text in zip(("second", *FIVE), texts, strict=True):
        _refuse_doubles(field, text)
    return ParserSpec(seconds, minutes, hours, months, dates, _weekdays(texts[5]), starred)


def _refuse_doubles(field: str, text: str) -> None:
    if "," not in text or any(sign in text for sign in "L#"):
        return
    values = _READING.values(field, text)
    if field == "weekday":
        values = [value % 7 if str(value) in text.split(",") else value for value in values]
    if len(values) != len(set(values)):
        _READING.refuse(field, text, "it has a value twice")


def _dates(text: str) -> Dates:
    last: list[int] = []

    def special(item: str) -> bool:
        if item == "L":
            last.append(0)
        return item == "L"

    numbers = _READING.values("day", text, special)
    return Dates(frozenset(numbers), frozenset(last))


def _weekdays(text: str) -> Weekdays:
    if match := re.fullmatch(r"(\w+)#([1-5])", text):
        weekday = _READING.number("weekday", text, match[1]) % 7
        return Weekdays(nth=frozenset({(weekday, int(match[2]))}))
    last: list[int] = []

    def special(item: str) -> bool:
        if match := re.fullmatch(r"([0-7])L", item):
            last.append(int(match[1]) % 7)
        return match is not None

    weekly = _READING.values("weekday", text, special)
    return Weekdays(sunday_zero(weekly), last=frozenset(last))


class _Walker:
    """The moving time, with what the last step over a clock change left behind."""

    def __init__(self, spec: ParserSpec, clock: LocalClock, start: datetime) -> None:
        self.spec = spec
        self.now = LuxonTime(clock, start)
        self.skipped_from: int | None = None
        self.landed_at: int | None = None
        self.repeated: int | None = None
        self.day_seen: tuple[datetime, bool] | None = None

    def next(self) -> datetime | None:
        """Return the next instant; None where it gives up."""
        start = self.now.instant
        for _ in range(_MOST_STEPS):
            if self.now.wall.month not in self.spec.months:
                self._to_day(self.now.next_month())
            elif not self.spec.matches_day(self.now.wall):
                self._to_day(self.now.next_day())
            elif not self._hour_fits():
                continue
            elif self.now.wall.minute not in self.spec.minutes:
                self._to_minute()
            elif self.now.wall.second not in self.spec.seconds:
                self._to_second()
            elif self.now.instant == start:
                self._move(self.now.plus(1))
            else:
                return self.now.instant
        return None

    def _to_day(self, found: LuxonTime) -> None:
        self.now = found
        self.skipped_from = self.landed_at = None
        if len(self.spec.hours) != 24 and found.wall.hour > 0:
            self.skipped_from, self.landed_at = 0, found.wall.hour

    def _move(self, found: LuxonTime) -> None:
        before, self.now = self.now, found
        if len(self.spec.hours) == 24:
            return
        hour = found.wall.hour
        ahead = (hour - before.wall.hour) % 24
        if found.offset > before.offset and ahead >= 2:
            self.skipped_from, self.landed_at = (before.wall.hour + 1) % 24, hour
        elif ahead == 0 and found.wall.minute == 0 and found.wall.second == 0:
            self.repeated = hour

    def _hour_fits(self) -> bool:
        hours, hour = self.spec.hours, self.now.wall.hour
        if self.skipped_from is not None and self.landed_at == hour:
            skipped = self.skipped_from
            while skipped != hour:
                if skipped in hours:
                    return True
                skipped = (skipped + 1) % 24
        if self.repeated == hour:
            self.repeated = None
            self._hour()
            return False
        if hour in hours:
            return True
        self.skipped_from = self.landed_at = None
        following = next((each for each in hours if each > hour), None)
        if following is None:
            self._to_day(self.now.next_day())
        else:
            self._to_hour(following)
        return False

    def _hour(self) -> None:
        self._move(self.now.plus(3600).start_of("hour"))

    def _to_hour(self, hour: int) -> None:
        if self._clock_changes():
            for _ in range(hour - self.now.wall.hour):
                self._hour()
                if self.now.wall.hour >= hour:
                    break
        else:
            self.now = self.now.set(hour=hour)
        self._least()

    def _clock_changes(self) -> bool:
        day = self.now.wall.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.day_seen is None or self.day_seen[0] != day:
            end = self.now.set(hour=23, minute=59, second=59)
            self.day_seen = day, self.now.start_of("day").offset != end.offset
        return self.day_seen[1]

    def _least(self) -> None:
        for unit, values in (("minute", self.spec.minutes), ("second", self.spec.seconds)):
            if getattr(self.now.wall, unit) != values[0]:
                self.now = self.now.set(**{unit: values[0]})

    def _to_minute(self) -> None:
        minute = self.now.wall.minute
        following = next((each for each in self.spec.minutes if each > minute), None)
        if following is None:
            self._hour()
            self._least()
        else:
            self.now = self.now.set(minute=following)
            if self.now.wall.second != self.spec.seconds[0]:
                self.now = self.now.set(second=self.spec.seconds[0])

    def _to_second(self) -> None:
        second = self.now.wall.second
        following = next((each for each in self.spec.seconds if each > second), None)
        if following is None:
            self._move(self.now.plus(60).start_of("minute"))
            following = self.spec.seconds[0]
        if self.now.wall.second != following:
            self.now = self.now.set(second=following)


def walk(spec: ParserSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield what its iterator yields."""
    walker = _Walker(spec, clock, after.replace(microsecond=0))
    while (found := walker.next()) is not None:
        yield found
