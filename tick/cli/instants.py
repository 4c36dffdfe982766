"""Instants and times on the command line."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click

from tick.cron.zone_data import find_zone
from tick.errors import InvalidInstant
from tick.policy.instants import just_before
from tick.utc import YEARS, utc

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_LENGTH = re.compile(r"(\d{1,9})([smhd])\Z")
_LONGEST = timedelta(days=36_500)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Instant(click.ParamType[datetime]):
    """An ISO instant such as 2026-03-29T00:30Z or 2026-03-29; UTC where no zone is given."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The instant, in UTC."""
        if isinstance(value, datetime):
            return utc(value)
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no ISO instant; write 2026-03-29T00:30Z.", param, ctx)
        try:
            return utc(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
        except InvalidInstant:
            years = f"{YEARS[0]} to {YEARS[-1]}"
            self.fail(f"{value!r} is too far away; write a year from {years}.", param, ctx)


class DayOrInstant(click.ParamType[date | datetime]):
    """A day such as 2026-03-29, or an ISO instant."""

    name = "day or instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | datetime:
        """A day stays a day: in which zone it lies is not known here."""
        instant = INSTANT.convert(value, param, ctx)
        is_day = isinstance(value, str) and _DAY.match(value)
        return date.fromisoformat(value) if is_day else instant


def bounds(
    first: date | datetime, last: date | datetime, timezone: str
) -> tuple[datetime, datetime]:
    """The first and the last instant; of days, the whole of them in the zone."""
    zone = find_zone(timezone)
    begin = first if isinstance(first, datetime) else datetime.combine(first, time(), zone)
    if isinstance(last, datetime):
        return utc(begin), utc(last)
    midnight = utc(datetime.combine(last + timedelta(days=1), time(), zone))
    return utc(begin), just_before(midnight)


def local(at: datetime, timezone: str) -> str:
    """An instant on a zone's clocks: `Sun 2026-03-29 03:00 CEST`."""
    return f"{at.astimezone(find_zone(timezone)):%a %Y-%m-%d %H:%M %Z}"


class Length(click.ParamType[timedelta]):
    """A length of time such as 90s, 5m, 2h or 1d."""

    name = "length"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """The timedelta."""
        if isinstance(value, timedelta):
            return value
        found = _LENGTH.match(value)
        length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta(0)
        if not timedelta(0) < length <= _LONGEST:
            self.fail(f"{value!r} is no length of time; write 90s, 5m, 2h or 1d.", param, ctx)
        return length


class Window(click.ParamType[tuple[datetime, datetime]]):
    """A window such as 2026-03-29T02:00Z..2026-03-29T05:00Z."""

    name = "from..to"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[datetime, datetime]:
        """The pair of instants."""
        if isinstance(value, tuple):
            return value
        start, dots, end = value.partition("..")
        if not dots:
            self.fail(f"{value!r} is no window; write FROM..TO.", param, ctx)
        window = INSTANT.convert(start, param, ctx), INSTANT.convert(end, param, ctx)
        if window[0] >= window[1]:
            self.fail(f"{value!r} ends before it starts.", param, ctx)
        return window


INSTANT, LENGTH, WINDOW = Instant(), Length(), Window()
DAY_OR_INSTANT = DayOrInstant()
