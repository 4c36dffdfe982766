"""Notifications, and the messages and events that are made of them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tick.text import counted

OPENED, RESOLVED, TEST = "opened", "resolved", "test"
FINISHED, NOT_FIRED = "occurrence.finished", "occurrence.not_fired"
STARTED, SUCCEEDED, FAILED = "start", "success", "fail"
_NAMED = 3
_SHOWN_IN_FULL = 10
_RULE = "\n\n---\n\n"


@dataclass(frozen=True)
class AlertSnapshot:
    """Holds an alert as it was when it was claimed for sending."""

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
class Notification:
    """Holds a claimed delivery, with either an alert or a payload."""

    id: int
    event: str
    attempt: int
    created_at: datetime
    alert: AlertSnapshot | None = None
    payload: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """The text of an alert, without a link; "" for an event."""
        if self.alert is None:
            return ""
        if self.event == RESOLVED:
            return self.alert.resolution or ""
        return f"{self.alert.title}\n\n{self.alert.message}"


def event_of(notification: Notification, public_url: str) -> dict[str, Any]:
    """Return the notification as a webhook's JSON. The `id` is the same for each attempt."""
    alert = notification.alert
    head = {
        # The number alone would come again after a database is made anew.
        "id": f"{notification.created_at:%Y%m%dT%H%M%S}-{notification.id}",
        "type": f"alert.{notification.event}" if alert else notification.event,
        "timestamp": notification.created_at,
    }
    if alert is None:
        return head | {"data": notification.payload or {}}
    return head | {"data": vars(alert) | {"url": link_of(alert, public_url)}}


def link_of(alert: AlertSnapshot, public_url: str) -> str | None:
    """Return the URL of the console's page; None if the console's address is not known."""
    if not public_url:
        return None
    if alert.occurrence_id is not None:
        return f"{public_url}/occurrences/{alert.occurrence_id}"
    if alert.schedule_id is not None:
        return f"{public_url}/schedules/{alert.schedule_id}"
    return f"{public_url}/alerts"


@dataclass(frozen=True)
class Message:
    """Holds a message for people; `tone` is one of Apprise's kinds."""

    title: str
    body: str
    tone: str


def compose(notifications: Sequence[Notification], public_url: str) -> Message:
    """Return one message of all notifications: open alerts first, then resolved ones."""
    opened = [p.alert for p in notifications if p.alert and p.event != RESOLVED]
    resolved = [p.alert for p in notifications if p.alert and p.event == RESOLVED]
    is_test = all(notification.event not in (OPENED, RESOLVED) for notification in notifications)
    if len(notifications) == 1:
        title = opened[0].title if opened else f"Resolved: {resolved[0].title}"
    else:
        title = _digest(opened, resolved)
    tone = "info" if is_test else "failure" if opened else "success"
    sections = [*_sections(opened, public_url), *_sections(resolved, public_url, resolved=True)]
    return Message(title, _RULE.join(sections), tone)


def _digest(opened: Sequence[AlertSnapshot], resolved: Sequence[AlertSnapshot]) -> str:
    parts = [counted(len(opened), "alert")] if opened else []
    parts += [f"{len(resolved)} resolved"] if resolved else []
    names = [alert.title for alert in (*opened, *resolved)]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(parts)}: {'; '.join(names[:_NAMED])}{more}"


def _sections(
    alerts: Sequence[AlertSnapshot], public_url: str, *, resolved: bool = False
) -> Iterator[str]:
    """Yield the text of each alert; beyond some, only a list of titles."""
    for alert in alerts[:_SHOWN_IN_FULL]:
        head = f"Resolved: {alert.title}" if resolved else alert.title
        text = (alert.resolution or "") if resolved else alert.message
        yield "\n\n".join(part for part in (head, text, link_of(alert, public_url)) if part)
    if rest := alerts[_SHOWN_IN_FULL:]:
        yield "\n".join([f"{len(rest)} more:", *(f"- {alert.title}" for alert in rest)])
