"""The types of arguments and options, and the options that many commands have."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tick.engine.ledger.audit import MAX_REASON
from tick.errors import InvalidInstant
from tick.utc import YEARS, utc

if TYPE_CHECKING:
    pass
from typing import TYPE_CHECKING

from tick.ops.queries.nearest import did_you_mean

if TYPE_CHECKING:
    pass
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
Command = TypeVar("Command", bound=Callable[..., Any])
_REVISION = re.compile(r"[0-9a-f]{16}")
_LAST_ID = 2**63 - 1


class _Id(click.types.IntParamType):
    """A number that a row may have; the help needs not say which ones those are."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        found: int = super().convert(value, param, ctx)
        if not 1 <= found <= _LAST_ID:
            self.fail(f"{value} is no id.", param, ctx)
        return found


ID = _Id()


class OneOf(click.Choice[str]):
    """A choice whose refusal names the nearest of the choices."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """The refusal."""
        said = super().get_invalid_choice_message(value, ctx)
        guess = did_you_mean(str(value), map(str, self.choices)).strip()
        return f"{said.rstrip('.')}; {guess}" if guess else said


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def _checked_reason(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is not None and not (value.strip() and len(value) <= MAX_REASON):
        raise click.BadParameter(f"say why in 1 to {MAX_REASON} characters.")
    return value


def reason_option(words: str, *, required: bool = False) -> Callable[[Command], Command]:
    """`--reason`, as long as the console and the JSON API let it be."""
    return click.option("--reason", callback=_checked_reason, required=required, help=words)


def _checked_revision(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is not None and not _REVISION.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no revision; copy it from what --json prints.")
    return value


if_revision = click.option(
    "--revision",
    "expected",
    callback=_checked_revision,
    help="Only if nobody changed it since: the `revision` that --json printed.",
)
