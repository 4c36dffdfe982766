"""The types of arguments and options, and the options that many commands have."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar

import click

from tick.define.steps import Step, step_from_words
from tick.engine.ledger.audit import MAX_REASON
from tick.errors import InvalidInstant
from tick.ops.queries.nearest import did_you_mean
from tick.states import Role
from tick.utc import YEARS, utc

Value = TypeVar("Value")
Command = TypeVar("Command", bound=Callable[..., Any])
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_LENGTH = re.compile(r"(\d{1,9})([smhd])\Z")
# A sum of an instant in YEARS and a length is still an instant that Python knows.
_LONGEST = timedelta(days=36_500)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_REVISION = re.compile(r"[0-9a-f]{16}")
# The largest BIGINT: a larger number fails in the database, not as a wrong call.
_LAST_ID = 2**63 - 1


class _Read(click.ParamType[Value], Generic[Value]):
    """A type by its name and the function that reads it, which raises ValueError with a sentence.

    The function gets a text, or a default that is a value already.
    """

    def __init__(self, name: str, read: Callable[[Any], Value]) -> None:
        self.name, self._read = name, read

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Value:
        """Return the value."""
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _instant(value: str | datetime) -> datetime:
    if isinstance(value, datetime):
        return utc(value)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is no ISO instant; write 2026-03-29T00:30Z.") from None
    try:
        return utc(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except InvalidInstant:
        years = f"{YEARS[0]} to {YEARS[-1]}"
        raise ValueError(f"{value!r} is too far away; write a year from {years}.") from None


def _day_or_instant(value: str) -> date | datetime:
    instant = _instant(value)
    # A day stays a day: only the command knows in which zone it lies.
    return date.fromisoformat(value) if _DAY.match(value) else instant


def _length(value: str | timedelta) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = _LENGTH.match(value)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta(0)
    if not timedelta(0) < length <= _LONGEST:
        raise ValueError(f"{value!r} is no length of time; write 90s, 5m, 2h or 1d.")
    return length


def _length_or_step(value: str | timedelta) -> timedelta | Step:
    if isinstance(value, str) and (step := step_from_words(value)) is not None:
        return step
    try:
        return _length(value)
    except ValueError:
        raise ValueError(
            f"{value!r} is no length of time; write 5m, 2h or 1d, or a step of the local calendar: "
            "'2 days at 09:00', 'week on mon at 09:00', 'month on business day 3 at 02:00'."
        ) from None


def _window(value: str) -> tuple[datetime, datetime]:
    start, dots, end = value.partition("..")
    if not dots:
        raise ValueError(f"{value!r} is no window; write FROM..TO.")
    window = _instant(start), _instant(end)
    if window[0] >= window[1]:
        raise ValueError(f"{value!r} ends before it starts.")
    return window


def _id(value: str) -> int:
    # Not click.IntRange: its help would show the bounds, which say nothing to a person.
    if not value.strip().isdecimal() or not 1 <= int(value) <= _LAST_ID:
        raise ValueError(f"{value} is no id.")
    return int(value)


def _reason(value: str) -> str:
    if not (value.strip() and len(value) <= MAX_REASON):
        raise ValueError(f"say why in 1 to {MAX_REASON} characters.")
    return value


def _revision(value: str) -> str:
    # Checked here as well: through a console it becomes a header, which a line break would end.
    if not _REVISION.fullmatch(value):
        raise ValueError(f"{value!r} is no revision; copy it from what --json prints.")
    return value


INSTANT = _Read("instant", _instant)
DAY_OR_INSTANT = _Read("day or instant", _day_or_instant)
LENGTH = _Read("length", _length)
LENGTH_OR_STEP = _Read("length or step", _length_or_step)
WINDOW = _Read("from..to", _window)
ID = _Read("integer", _id)
_REASON = _Read("text", _reason)


def named_value(argument: str) -> tuple[str, str]:
    """Return the two sides of NAME=VALUE. Raises UsageError."""
    name, equals, value = argument.partition("=")
    if not (name and equals):
        raise click.UsageError(f"{argument!r} is no argument; write NAME=VALUE.")
    return name, value


def json_or_text(text: str) -> Any:
    """Return what a text means as JSON, or else itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # nested too deeply, it is no ValueError
        return text


def read_params(text: str | None) -> dict[str, Any]:
    """Return the keyword arguments that --params was given. Raises UsageError."""
    try:
        params = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--params is not JSON: {error}.") from None
    if not isinstance(params, dict):
        raise click.UsageError("--params takes a JSON object, such as '{\"days\": 7}'.")
    return params


class OneOf(click.Choice[str]):
    """A choice whose refusal names the nearest of the choices."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return the refusal."""
        said = super().get_invalid_choice_message(value, ctx)
        guess = did_you_mean(str(value), map(str, self.choices)).strip()
        return f"{said.rstrip('.')}; {guess}" if guess else said


def _remember_json(context: click.Context, _parameter: click.Parameter, given: bool) -> None:
    context.meta[__name__] = given


def wants_json() -> bool:
    """Return whether the command that runs was given --json."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(__name__))


# Kept in the context, not passed: only what prints wants to know, and every command prints.
as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    expose_value=False,
    callback=_remember_json,
    help="Print JSON instead of a table.",
)


def reason_option(words: str, *, required: bool = False) -> Callable[[Command], Command]:
    """Return `--reason`, as long as the console and the JSON API let it be."""
    return click.option("--reason", type=_REASON, required=required, help=words)


def count_option(default: int, most: int, words: str) -> Callable[[Command], Command]:
    """Return `-n`, a number from 1 on."""
    kind = click.IntRange(1, most)
    return click.option("-n", "count", default=default, show_default=True, type=kind, help=words)


if_revision = click.option(
    "--revision",
    type=_Read("text", _revision),
    help="Only if nobody changed it since: the `revision` that --json printed.",
)
role_option = click.option(
    "--role",
    type=OneOf(list(Role)),
    default=Role.VIEWER,
    show_default=True,
    help="VIEWER looks, ADMIN does everything.",
)
