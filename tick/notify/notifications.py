"""What is owed to a channel: an alert that opened or was resolved, or something that happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

OPENED, RESOLVED, TEST = "opened", "resolved", "test"
FINISHED, NOT_FIRED = "occurrence.finished", "occurrence.not_fired"
STARTED, SUCCEEDED, FAILED = "start", "success", "fail"


@dataclass(frozen=True)
class AlertText:
    """An alert, as it is told."""

    id: int
    rule: str
    title: str
    message: str
    at: datetime
    schedule_id: str | None = None
    occurrence_id: int | None = None
    resolved_at: datetime | None = None
    resolution: str | None = None


@dataclass(frozen=True)
class Parcel:
    """One delivery that was claimed. It has either an alert or a payload."""

    id: int
    event: str
    attempt: int
    created_at: datetime
    alert: AlertText | None = None
    payload: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """What it says, in a sentence or a few."""
        if self.alert is None:
            return ""
        if self.event == RESOLVED:
            return self.alert.resolution or ""
        return f"{self.alert.title}\n\n{self.alert.message}"


def event_of(parcel: Parcel, public_url: str) -> dict[str, Any]:
    """The parcel as a webhook's JSON. The `id` is the same for each attempt."""
    alert = parcel.alert
    head = {
        "id": f"{parcel.created_at:%Y%m%dT%H%M%S}-{parcel.id}",
        "type": f"alert.{parcel.event}" if alert else parcel.event,
        "timestamp": parcel.created_at,
    }
    if alert is None:
        return head | {"data": parcel.payload or {}}
    data = vars(alert) | {"url": link_of(alert, public_url)}
    return head | {"data": data}


def link_of(alert: AlertText, public_url: str) -> str | None:
    """The page of the console that shows more; None where its address is not known."""
    if not public_url:
        return None
    if alert.occurrence_id is not None:
        return f"{public_url}/occurrences/{alert.occurrence_id}"
    if alert.schedule_id is not None:
        return f"{public_url}/schedules/{alert.schedule_id}"
    return f"{public_url}/alerts"
