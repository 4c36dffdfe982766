"""The base of all shapes that pages, JSON API and commands share, and answers of actions."""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

Item = TypeVar("Item")
_Value = TypeVar("_Value")

Internal = Annotated[_Value, Field(exclude=True), SkipJsonSchema()]
"""A field that the console's pages use and JSON leaves out; it needs a default."""


class Schema(BaseModel):
    """Something that is told; made from a row or from JSON. Instants are UTC."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; instants as `isoformat` writes them."""
        plain: dict[str, Any] = _plain(self.model_dump())
        return plain


class Page(Schema, Generic[Item]):
    """One page of a list."""

    items: tuple[Item, ...]
    next: str | None = Field(default=None, description="where the list goes on; null at its end")


class Changed(Schema):
    """Whether it was otherwise before."""

    changed: bool


class Started(Schema):
    """What was started; a worker does the work."""

    occurrence_id: int
    occurrence: str = Field(description="where to watch it")


class Cancelled(Schema):
    """How many runs had not ended, and were cancelled or asked to stop."""

    runs: int


class Retried(Schema):
    """The runs that were put back; none when they are in the queue or run already."""

    run_ids: tuple[int, ...]


class SlotsStarted(Schema):
    """The occurrences that stand for the instants from now on."""

    occurrence_ids: tuple[int, ...]


class WindowAdded(Schema):
    """A window that was planned."""

    window_id: int


class Muted(Schema):
    """A mute that was made."""

    mute_id: int


class ChannelTest(Schema):
    """How a test message to one channel went."""

    channel: str
    error: str | None = Field(description="null when the channel took it")


class ChannelTests(Schema):
    """How it went with each; empty when no channel is set up."""

    items: tuple[ChannelTest, ...]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
