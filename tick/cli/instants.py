"""Instants and times on the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from tick.errors import InvalidInstant
from tick.utc import YEARS, utc

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
