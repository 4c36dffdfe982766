"""node-schedule (npm), by the cron-parser 4.9 inside: single steps of local time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.luxon_time import LuxonTime
from tick.cron.dialects.reading import FIVE, Reading
from tick.cron.dialects.spec import is_last_of_its_weekday, last_day, nth_of_its_weekday

_READING = Reading(
    "node-schedule",
    seconds=True,
    stars="*?",
    aliases=("@yearly", "@monthly", "@weekly", "@daily", "@hourly"),
)
_MOST_STEPS = 10000
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """The values as written, with repeats: how many there are decides what counts as a star."""

    values: dict[str, tuple[int, ...]]
    last_day: bool
    last_weekdays: frozenset[int]
    nth: int

    def matches_day(self, day: datetime) -> bool:
        """Return whether the day fields fit, and whether both restrict."""
        dates, weekdays = self.values["day"], self.values["weekday"]
        weekday = day.isoweekday() % 7
        by_date = day.day in dates or (self.last_day and day.day == last_day(day))
        by_weekday = weekday in weekdays or (
            weekday in self.last_weekdays and is_last_of_its_weekday(day)
        )
        every_date = len(dates) + self.last_day >= _LONGEST[day.month - 1]
        every_weekday = len(weekdays) + len(self.last_weekdays) == 8
        if not by_date and (not by_weekday or every_weekday):
            return False
        if every_date and not every_weekday and not by_weekday:
            return False
        return self.nth == 0 or nth_of_its_weekday(day) == self.nth


def read(expression: str) -> ScheduleSpec:
    """Return what the cron-parser inside reads."""
    texts = _READING.split(expression)
    nth, last_weekdays, last = 0, set(), []
    if match := re.fullmatch(r"([^,/-]+)#([1-5])", texts[5]):
        texts[5], nth = match[1], int(match[2])

    def special_weekday(item: str) -> bool:
        if match := re.fullmatch(r"([0-7])L", item):
            last_weekdays.add(int(match[1]) % 7)
        return match is not None

    def special_date(item: str) -> bool:
        if item == "L":
            last.append(item)
        return item == "L"

    specials = {"day": special_date, "weekday": special_weekday}
    values = {
        field: _listed(field, _READING.values(field, text, specials.get(field)), text)
        for field, text in zip(("second", *FIVE), texts, strict=True)
    }
    months = values["month"]
    if len(months) == 1:
        longest = _LONGEST[months[0] - 1]
        if values["day"] and min(values["day"]) > longest:
            _READING.refuse("day", texts[3], "it never comes in this month")
        values["day"] = tuple(each for each in values["day"] if each <= longest)
    return ScheduleSpec(values, bool(last), frozenset(last_weekdays), nth)


def _listed(field: str, values: list[int], text: str) -> tuple[int, ...]:
    if field != "weekday" or not values:
        return tuple(values)
    found: list[int] = []
    for item in text.split(","):
        if item.endswith("L"):
            continue
        listed = _READING.values(field, item)
        if len(item) == 1 and item.isdigit():
            found += [listed[0] % 7]
            continue
        # A range that may reach 7 has Sunday as 0 as well, whatever its step.
        reaches = re.search(r"^[*?]|-(7|0|sun)\b|^\w+/", item, re.IGNORECASE)
        found += [0, *(each for each in listed if each)] if reaches else listed
    return tuple(found)


class _Walker:
    def __init__(self, spec: ScheduleSpec, clock: LocalClock, start: datetime) -> None:
        self.spec = spec
        self.now = LuxonTime(clock, start)
        self.landed_at: int | None = None
        self.repeated: int | None = None

    def next(self) -> datetime | None:
        """Return the next instant; None where it gives up."""
        values, start = self.spec.values, self.now.instant
        for _ in range(_MOST_STEPS):
            wall = self.now.wall
            if not self.spec.matches_day(wall):
                self._to_day(self.now.next_day())
            elif wall.month not in values["month"]:
                self._to_day(self.now.next_month())
            elif not self._hour_fits(wall.hour):
                continue
            elif wall.minute not in values["minute"]:
                self._step("minute")
            elif wall.second not in values["second"] or self.now.instant == start:
                self._step("second")
            else:
                return self.now.instant
        return None

    def _to_day(self, found: LuxonTime) -> None:
        stuck, self.now = found.instant == self.now.instant, found
        if stuck:
            self.now = _plus(self.now, "hour")

    def _hour_fits(self, hour: int) -> bool:
        hours = self.spec.values["hour"]
        if hour not in hours:
            if self.landed_at != hour:
                self.landed_at = None
                self._step("hour")
                return False
            if hour - 1 not in hours:
                self.now = _plus(self.now, "hour")
                return False
        elif self.repeated == hour:
            self.repeated = None
            self._step("hour")
            return False
        return True

    def _step(self, unit: str) -> None:
        before, self.now = self.now.wall.hour, _plus(self.now, unit)
        if len(self.spec.values["hour"]) == 24:
            return
        wall = self.now.wall
        if wall.hour - before == 2:
            self.landed_at = wall.hour
        elif wall.hour == before and wall.minute == 0 and wall.second == 0:
            self.repeated = wall.hour


def _plus(now: LuxonTime, unit: str) -> LuxonTime:
    """Return the start of the next unit; an hour more where that is not later."""
    seconds = {"hour": 3600, "minute": 60, "second": 1}[unit]
    found = now.plus(seconds).start_of(unit)
    late = found.instant < now.instant or (unit == "hour" and found.instant == now.instant)
    return LuxonTime(now.clock, found.instant + timedelta(hours=1)) if late else found


def walk(spec: ScheduleSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield what its iterator yields."""
    walker = _Walker(spec, clock, after.replace(microsecond=0))
    while (found := walker.next()) is not None:
        yield found
