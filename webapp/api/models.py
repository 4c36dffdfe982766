"""What the models of all resources have in common."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from flask import request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from tick.errors import InvalidInstant
from tick.ops.actions.control import MAX_REASON
from tick.ops.schemas import Page as Page
from tick.ops.schemas import Schema as Schema
from tick.utc import YEARS, utc
from webapp.links import this_page


class Query(BaseModel):
    """A query string."""

    model_config = ConfigDict(extra="forbid")


class Body(BaseModel):
    """A body; what it does not know is refused, and nothing is converted by guessing."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """An empty body, or `{}`."""


def _to_utc(instant: datetime) -> datetime:
    try:
        return utc(instant)
    except InvalidInstant:
        raise ValueError(f"write a year from {YEARS[0]} to {YEARS[-1]}") from None


def _said(reason: str | None) -> str | None:
    return (reason or "").strip() or None


AnyPage = TypeVar("AnyPage", bound=Page[Any])
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
# PostgreSQL has no text with a NUL in it.
_STORABLE = r"^[^\x00]+$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_STORABLE)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_STORABLE)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON, pattern=_STORABLE)]
OptionalReason = Annotated[Reason | None, AfterValidator(_said)]
Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]


def with_address(page: AnyPage, name: str) -> AnyPage:
    """A page whose `next` is an address: this request's, with its key as the parameter `name`."""
    return page.model_copy(update={"next": continued(**{name: page.next})})


def continued(**keys: Any) -> str | None:
    """This request's address, continued at a key; None when there is nothing to continue at."""
    if None in keys.values():
        return None
    kept = {name: value for name, value in request.args.items() if name not in ("after", "before")}
    return f"{this_page()}?{urlencode({**kept, **keys})}"
