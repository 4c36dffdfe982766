"""The channels for notifications, a class each, made from the settings.

Webhooks are signed by the Standard Webhooks specification (https://www.standardwebhooks.com).
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tick.define.alerts import SILENT
from tick.environment import read_secret
from tick.errors import SettingsError
from tick.notify.messages import FAILED, OPENED, STARTED, Notification, compose, event_of
from tick.notify.sending import SEND_SECONDS, SendFailed, post
from tick.settings import Settings

_SCHEDULE_PING = "ping-of:"
MAX_BATCH = 100
_SHORTEST_SECRET = 6
_KEY_PREFIX = "whsec_"
# As they stand in a URL: nothing is decoded, so that nothing has to be encoded again.
_BETWEEN = re.compile(r"[,;]|%2c|%3b|%20", re.IGNORECASE)
_ADDRESS = re.compile(r"[^@<>\"]+(@|%40)[^@<>\"%+]+", re.IGNORECASE)


class Channel(ABC):
    """Sends notifications, up to `batch_size` at once; `id` names it without a secret."""

    batch_size = 1
    accepts_events = False
    """Whether it sends an event for each occurrence that ends."""

    def __init__(self, id: str) -> None:
        self.id = id

    def accepts(self, rule: str) -> bool:
        """Return whether it sends alerts of this rule."""
        return True

    def check(self) -> None:  # noqa: B027  (one that may do nothing)
        """Raise SettingsError if it can never work."""
        # Addresses of webhooks and pings were checked with the settings or the definitions.

    @abstractmethod
    def send(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Send the notifications together. Raises SendFailed."""


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """Return the channels of the settings; those of schedules come from `ping_channels_of`."""
    public = settings.public_url.rstrip("/")
    found: list[Channel] = [
        AppriseChannel(each, public)
        for url in _lines(settings.alert_urls)
        for each in each_recipient(url)
    ]
    if settings.webhook_secret is not None:
        secret = settings.webhook_secret.get_secret_value()
        found += [Webhook(url, secret, public) for url in _lines(settings.webhook_urls)]
    if settings.ping_url is not None:
        found.append(TickPing(settings.ping_url.get_secret_value()))
    return tuple(found)


def ping_channel(schedule_id: str) -> str:
    """Return the id of the channel to a schedule's own ping URL."""
    return f"{_SCHEDULE_PING}{schedule_id}"


def ping_channels_of(ids: Iterable[str]) -> list[Channel]:
    """Return a channel for each id that is of a schedule's ping URL, in the same order."""
    return [SchedulePing(id) for id in ids if id.startswith(_SCHEDULE_PING)]


def each_recipient(url: str) -> list[str]:
    """Return the Apprise URL, or one for each address in the path or the `to` of a mail URL.

    An address with a name beside it, or written in another unusual way, leaves the URL whole.
    """
    # A failed delivery is sent again to the whole URL: with several recipients, one address that a
    # mail server refuses would make all others get the same mail for a day.
    parts = urlsplit(url)
    if parts.scheme not in ("mailto", "mailtos"):
        return [url]
    options = [option for option in parts.query.split("&") if option]
    to = [option for option in options if option.partition("=")[0].lower() == "to"]
    named = [*parts.path.split("/"), *(option.partition("=")[2] for option in to)]
    people = list(dict.fromkeys(one for text in named for one in _BETWEEN.split(text) if one))
    if len(people) < 2 or not all(map(_ADDRESS.fullmatch, people)):
        return [url]
    queries = ("&".join([*(o for o in options if o not in to), f"to={one}"]) for one in people)
    return [parts._replace(path="", query=query).geturl() for query in queries]


class AppriseChannel(Channel):
    """Sends to people by Apprise: mail, chat and more."""

    batch_size = MAX_BATCH

    def __init__(self, url: str, public_url: str) -> None:
        super().__init__(_id(urlsplit(url).scheme or "channel", url))
        self._url, self._public_url = url, public_url

    def check(self) -> None:
        """Raise SettingsError if Apprise is missing or does not understand the URL."""
        self._service()

    def send(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Send one message for all notifications."""
        message = compose(notifications, self._public_url)
        with self._service().notify(
            body=message.body,
            title=message.title,
            notify_type=message.tone,
            body_format="text",
            timeout=SEND_SECONDS,
        ) as done:
            # All at once: an iteration that is left in the middle keeps Apprise's lock.
            logged = [] if done else [entry.message for entry in list(done.logs())]
        if not done:
            text = "; ".join(logged) or "it was not taken"
            raise SendFailed(self._without_secrets(text)[:500])

    def _service(self) -> Any:
        try:
            import apprise
        except ModuleNotFoundError:
            raise SettingsError(
                "TICK_ALERT_URLS needs Apprise: pip install 'job-schedule-manager[alerts]'."
            ) from None
        service = apprise.Apprise()
        if not service.add(self._url):
            raise SettingsError(
                f"TICK_ALERT_URLS: Apprise does not understand the URL that begins with "
                f"{urlsplit(self._url).scheme or '(nothing)'}://; see its list of services."
            )
        return service

    def _without_secrets(self, text: str) -> str:
        """Return the text with each part of the URL masked."""
        # Services name the address that they could not reach; for some that is the secret.
        for part in re.split(r"[/:@?&=%]+", self._url):
            if len(part) >= _SHORTEST_SECRET:
                text = text.replace(part, "***")
        return text


class Webhook(Channel):
    """Sends signed JSON, one event a request."""

    accepts_events = True

    def __init__(self, url: str, secret: str, public_url: str) -> None:
        super().__init__(_id("webhook", url))
        self._url, self._secret, self._public_url = url, secret, public_url

    def send(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Send each notification as an event."""
        for notification in notifications:
            event = event_of(notification, self._public_url)
            body = json.dumps(event, default=_plain, ensure_ascii=False).encode()
            headers = {"Content-Type": "application/json"}
            post(self._url, body, headers | signed_headers(self._secret, event["id"], now, body))


class TickPing(Channel):
    """Pings TICK_PING_URL: a failure when ticks stop, a success when they go on."""

    def __init__(self, url: str) -> None:
        super().__init__(_id("ping", url))
        self._url = url

    def accepts(self, rule: str) -> bool:
        """Return whether the rule is that of silent ticks."""
        return rule == SILENT

    def send(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Ping once for each notification."""
        for notification in notifications:
            ping(self._url, "" if notification.event != OPENED else FAILED, notification.text)


class SchedulePing(Channel):
    """Pings the URL of one schedule; each notification holds the URL."""

    def accepts(self, rule: str) -> bool:
        """Return False: it sends no alerts."""
        return False

    def send(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Ping the start, success or failure of an occurrence."""
        for notification in notifications:
            payload = notification.payload or {}
            which = notification.event if notification.event in (STARTED, FAILED) else ""
            ping(_address(payload["ping_url"]), which, payload.get("text", ""))


def ping(url: str, which: str, text: str) -> None:
    """Ping a Healthchecks-style URL: `which` is "start", "fail", or "" for success."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + (f"/{which}" if which else "")
    post(parts._replace(path=path).geturl(), text.encode(), {"Content-Type": "text/plain"})


def signed_headers(secret: str, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers for a body that is sent at this instant."""
    # The id is the same for each attempt, so that a receiver can drop duplicates; by the time it
    # can refuse what is old.
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature(secret, id, timestamp, body)}",
    }


def signature(secret: str, id: str, timestamp: str, body: bytes) -> str:
    """Return the base64 of the HMAC; a receiver compares it in constant time."""
    signed = f"{id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def key_of(secret: str) -> bytes:
    """Return the key: the base64 after `whsec_`, or the secret itself."""
    if secret.startswith(_KEY_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_KEY_PREFIX), validate=True)
        except binascii.Error:
            pass  # an operator's own secret may begin like that
    return secret.encode()


def _address(given: str) -> str:
    """Return the URL, or that in the environment variable which `secret:NAME` names."""
    kind, _, name = given.partition(":")
    try:
        return read_secret(name) if kind == "secret" else given
    except SettingsError as error:
        raise SendFailed(str(error)) from None


def _lines(urls: Any) -> list[str]:
    """Return the addresses that spaces or lines separate, without duplicates."""
    return list(dict.fromkeys(urls.get_secret_value().split())) if urls is not None else []


def _id(kind: str, url: str) -> str:
    # Addresses are secrets: people see the kind, and a digest to tell two of a kind apart.
    return f"{kind[:40]}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
