"""The channels: by what ways people and machines are told. One class each, made of the settings.

Their addresses are secrets: a channel is known by its kind and a digest of its address.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from tick.define.alerts import SILENT
from tick.environment import read_secret
from tick.errors import SettingsError
from tick.notify.message import compose
from tick.notify.notifications import FAILED, OPENED, STARTED, Parcel, event_of
from tick.notify.recipients import each_recipient
from tick.notify.sending import SEND_SECONDS, SendFailed, post
from tick.notify.signing import signed_headers
from tick.settings import Settings

_SCHEDULE_PING = "ping-of:"
MOST_TOGETHER = 100
_SHORTEST_SECRET = 6


class Channel(Protocol):
    """A way to tell. `id` names it without a secret; `together` is how many parcels it takes."""

    id: str
    together: int

    def takes(self, rule: str) -> bool:
        """Whether alerts of this rule go by it."""

    @property
    def takes_events(self) -> bool:
        """Whether it wants to know of each occurrence that ends."""

    def check(self) -> None:
        """Raise SettingsError if it can never work."""

    def send(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """Hand over the parcels, together. Raises SendFailed."""


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """All channels that are set up. Schedules' own pings are `pings_of` what is owed."""
    public = settings.public_url.rstrip("/")
    found: list[Channel] = [
        People(each, public) for url in _lines(settings.alert_urls) for each in each_recipient(url)
    ]
    if settings.webhook_secret is not None:
        secret = settings.webhook_secret.get_secret_value()
        found += [Webhook(url, secret, public) for url in _lines(settings.webhook_urls)]
    if settings.ping_url is not None:
        found.append(TickPing(settings.ping_url.get_secret_value()))
    return tuple(found)


def ping_channel(schedule_id: str) -> str:
    """The id of the channel to a schedule's own dead-man's switch."""
    return f"{_SCHEDULE_PING}{schedule_id}"


def pings_of(ids: Iterable[str]) -> list[Channel]:
    """The channels among these that are schedules' own switches, in the same order."""
    return [SchedulePing(id) for id in ids if id.startswith(_SCHEDULE_PING)]


class People:
    """Mail, chat and the rest, by whatever Apprise can reach."""

    together = MOST_TOGETHER
    takes_events = False

    def __init__(self, url: str, public_url: str) -> None:
        self._url, self._public_url = url, public_url
        self.id = _id(urlsplit(url).scheme or "channel", url)

    def takes(self, rule: str) -> bool:
        """All of them."""
        return True

    def check(self) -> None:
        """Raise SettingsError if Apprise is missing or does not understand the URL."""
        self._service()

    def send(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """One message for all parcels."""
        message = compose(parcels, self._public_url)
        with self._service().notify(
            body=message.body,
            title=message.title,
            notify_type=message.tone,
            body_format="text",
            timeout=SEND_SECONDS,
        ) as done:
            # All at once: an iteration that is left in the middle keeps Apprise's lock.
            said = [] if done else [entry.message for entry in list(done.logs())]
        if not done:
            text = "; ".join(said) or "it was not taken"
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
        """Services like to say where they could not reach, and for some that is the secret."""
        for part in re.split(r"[/:@?&=%]+", self._url):
            if len(part) >= _SHORTEST_SECRET:
                text = text.replace(part, "***")
        return text


class Webhook:
    """Signed JSON, one event a request."""

    together = 1
    takes_events = True

    def __init__(self, url: str, secret: str, public_url: str) -> None:
        self._url, self._secret, self._public_url = url, secret, public_url
        self.id = _id("webhook", url)

    def takes(self, rule: str) -> bool:
        """All of them."""
        return True

    def check(self) -> None:
        """Nothing to check: the settings have done it."""

    def send(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """The event as JSON."""
        for parcel in parcels:
            event = event_of(parcel, self._public_url)
            body = json.dumps(event, default=_plain, ensure_ascii=False).encode()
            headers = {"Content-Type": "application/json"}
            post(self._url, body, headers | signed_headers(self._secret, event["id"], now, body))


class TickPing:
    """A dead-man's switch for the ticking: pinged by each tick, and told when they stop."""

    together = 1
    takes_events = False

    def __init__(self, url: str) -> None:
        self._url = url
        self.id = _id("ping", url)

    def takes(self, rule: str) -> bool:
        """Only of the ticking."""
        return rule == SILENT

    def check(self) -> None:
        """Nothing to check: the settings have done it."""

    def send(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """A failure when the ticking stopped, a success when it goes on."""
        for parcel in parcels:
            ping(self._url, "" if parcel.event != OPENED else FAILED, parcel.text)


class SchedulePing:
    """The dead-man's switch of one schedule: the address travels with the parcel."""

    together = 1
    takes_events = False

    def __init__(self, id: str) -> None:
        self.id = id

    def takes(self, rule: str) -> bool:
        """No alerts."""
        return False

    def check(self) -> None:
        """Nothing to check: the definitions were."""

    def send(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """The start, success or failure of one occurrence."""
        for parcel in parcels:
            payload = parcel.payload or {}
            which = parcel.event if parcel.event in (STARTED, FAILED) else ""
            ping(_address(payload["ping_url"]), which, payload.get("text", ""))


def ping(url: str, which: str, text: str) -> None:
    """Ping a Healthchecks-style URL: `which` is "start", "fail", or "" for success."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + (f"/{which}" if which else "")
    post(parts._replace(path=path).geturl(), text.encode(), {"Content-Type": "text/plain"})


def _address(given: str) -> str:
    """The URL itself, or the one in a variable of this process."""
    kind, _, name = given.partition(":")
    try:
        return read_secret(name) if kind == "secret" else given
    except SettingsError as error:
        raise SendFailed(str(error)) from None


def _lines(urls: Any) -> list[str]:
    """The addresses, each once; separated by spaces or lines."""
    return list(dict.fromkeys(urls.get_secret_value().split())) if urls is not None else []


def _id(kind: str, url: str) -> str:
    return f"{kind[:40]}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
