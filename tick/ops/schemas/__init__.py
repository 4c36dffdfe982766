"""What the shapes of all things have in common: the page, the JSON API and the command line share
them. Those of a thing stand beside its queries.
"""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

Item = TypeVar("Item")
_Value = TypeVar("_Value")

Internal = Annotated[_Value, Field(exclude=True), SkipJsonSchema()]
"""A field that the console's pages use and JSON leaves out; it needs a default."""


class Schema(BaseModel):
    """Something that is told; made from a row or from JSON. Instants are UTC."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Page(Schema, Generic[Item]):
    """One page of a list."""

    items: tuple[Item, ...]
    next: str | None = Field(default=None, description="where the list goes on; null at its end")
