"""What is told of alerts: the shapes that the JSON API and the command line give alike."""

from datetime import datetime

from pydantic import Field

from tick.ops.schemas.work import Answer
from tick.states import DeliveryStatus


class Alert(Answer):
    """Something that is wrong, or was; open while `resolved_at` is null."""

    id: int
    rule: str
    schedule_id: str | None
    occurrence_id: int | None
    title: str
    message: str
    at: datetime
    expires_at: datetime | None = Field(description="of an event, which has no end to wait for")
    resolved_at: datetime | None
    resolution: str | None = Field(description="how it ended; null when it expired or was closed")
    closed_by: str | None
    muted: bool = Field(description="nothing is sent of it at present")
    delivered: int = Field(description="messages that a channel took")
    owed: int = Field(description="messages still to be sent")
    gave_up: int = Field(description="messages that no channel took in a day")


class Attempt(Answer):
    """One attempt to deliver a message."""

    at: datetime
    took_seconds: float
    error: str | None = Field(description="null when it was taken")


class Delivery(Answer):
    """A message to one channel, with its attempts."""

    id: int
    channel: str = Field(description="its kind and a digest of its address, which is a secret")
    event: str = Field(description="opened or resolved")
    status: DeliveryStatus
    available_at: datetime = Field(description="not sent, or tried again, before")
    ended_at: datetime | None
    error: str | None
    attempts: tuple[Attempt, ...]


class AlertDetail(Answer):
    """An alert and who was told of it."""

    alert: Alert
    deliveries: tuple[Delivery, ...]


class Mute(Answer):
    """A mute that lasts."""

    id: int
    schedule_id: str | None = Field(description="null: of all schedules")
    rule: str | None = Field(description="null: of all rules")
    reason: str
    created_by: str
    created_at: datetime
    until: datetime
    revision: str = Field(description="changes when somebody ends it; for If-Match")


class Muted(Answer):
    """A mute that was made."""

    mute_id: int


class ChannelTest(Answer):
    """How a test message to one channel went."""

    channel: str
    error: str | None = Field(description="null when the channel took it")


class ChannelTests(Answer):
    """How it went with each; empty when no channel is set up."""

    items: tuple[ChannelTest, ...]
