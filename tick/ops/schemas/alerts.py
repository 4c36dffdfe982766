"""What is told of alerts: the shapes that the JSON API and the command line give alike."""

from pydantic import Field

from tick.ops.schemas import Schema


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
