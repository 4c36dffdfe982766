"""The models of query strings and bodies, and the types of their fields."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails

from tick.engine.ledger.audit import MAX_REASON
from tick.errors import InvalidInput, InvalidInstant
from tick.ops.queries.nearest import choose_from
from tick.ops.schemas import Page
from tick.utc import YEARS, utc

_NONE = "is not known here: nothing is taken"


class Query(BaseModel):
    """A query string."""

    model_config = ConfigDict(extra="forbid")


class Body(BaseModel):
    """A body; what it does not know is refused, and nothing is converted by guessing."""

    # Strict, as a query string can not be: that holds texts only, JSON has numbers and flags.
    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """An empty body, or `{}`."""


AnyPage = TypeVar("AnyPage", bound=Page[Any])
Model = TypeVar("Model", bound=BaseModel)


def _to_utc(instant: datetime) -> datetime:
    try:
        return utc(instant)
    except InvalidInstant:
        raise ValueError(f"write a year from {YEARS[0]} to {YEARS[-1]}") from None


def _said(reason: str | None) -> str | None:
    return (reason or "").strip() or None


Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
# PostgreSQL has no text with a NUL in it.
_STORABLE = r"^[^\x00]+$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_STORABLE)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_STORABLE)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON, pattern=_STORABLE)]
OptionalReason = Annotated[Reason | None, AfterValidator(_said)]
Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]


def parse(model: type[Model], given: Mapping[str, Any], part: str) -> Model:
    """Return the query or body (`part`) made from plain values. Raises InvalidInput."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid_input(error, part, model) from None


def invalid_input(error: ValidationError, part: str, model: type[BaseModel]) -> InvalidInput:
    """Return the error that names each value that does not fit."""
    # Without the values: one may be a secret that somebody put into the wrong field.
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return InvalidInput(
        [(".".join(map(str, (part, *item["loc"]))), _problem(item, model)) for item in found]
    )


def _problem(item: ErrorDetails, model: type[BaseModel]) -> str:
    """Return the mistake in a value; for an unknown name, with the names that are known."""
    if item["type"] != "extra_forbidden" or len(item["loc"]) > 1:
        return item["msg"].removeprefix("Value error, ")
    known = model.model_fields
    return f"is not known here; {choose_from(str(item['loc'][0]), known)}" if known else _NONE


def onward(**keys: Any) -> str | None:
    """Return the `next` of a page: the arguments that lead on; None if a key is None."""
    return None if None in keys.values() else f"?{urlencode(keys)}"


def continued_at(page: AnyPage, name: str) -> AnyPage:
    """Return the page with a `next` by which its request goes on: its key as `name`."""
    return page.model_copy(update={"next": onward(**{name: page.next})})


def arguments_of(next: str) -> dict[str, str]:
    """Return the arguments that a page's `next` holds."""
    # A console may have made a whole address of it.
    return dict(parse_qsl(urlsplit(next).query))
