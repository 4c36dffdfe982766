"""Alerts on either desk; see `tick.cli.desk`."""

from datetime import datetime
from typing import Any

from tick.cli.client import Client
from tick.engine.ledger.audit import Author
from tick.ops.actions import alerts
from tick.ops.queries.alerts import Alert, AlertDetail, Mute, get_alert, list_alerts, list_mutes
from tick.ops.schemas import Page
from tick.ops.schemas.alerts import ChannelTest, ChannelTests, Muted
from tick.ops.schemas.work import Changed
from tick.runtime import Runtime


class LocalAlertDesk:
    """On the database itself."""

    def __init__(self, runtime: Runtime, author: Author) -> None:
        self._runtime, self._author = runtime, author
        self._database = runtime.database

    def latest(self, *, open: bool | None, rule: str | None, schedule: str | None) -> list[Alert]:
        """The newest alerts."""
        with self._database.read.connect() as connection:
            page = list_alerts(
                connection, self._runtime.now(), open=open, rule=rule, schedule_id=schedule
            )
        return list(page.items)

    def show(self, alert_id: int) -> AlertDetail:
        """An alert and who was told of it."""
        with self._database.read.connect() as connection:
            return get_alert(connection, alert_id, self._runtime.now())

    def close(self, alert_id: int) -> bool:
        """Call an alert settled."""
        return alerts.close(self._database, alert_id, **self._as_me())

    def mutes(self) -> list[Mute]:
        """What is muted."""
        with self._database.read.connect() as connection:
            return list(list_mutes(connection, self._runtime.now()))

    def mute(self, *, schedule: str | None, rule: str | None, until: datetime, reason: str) -> int:
        """Mute; the mute's id."""
        return alerts.mute(
            self._database,
            schedule_id=schedule,
            rule=rule,
            until=until,
            reason=reason,
            **self._as_me(),
        )

    def unmute(self, mute_id: int, *, expected: str | None) -> bool:
        """End a mute."""
        return alerts.unmute(self._database, mute_id, **self._as_me(), expected=expected)

    def test(self) -> list[ChannelTest]:
        """Send a test message to every channel that is set up here."""
        from tick.notify.dispatcher import Courier

        found = Courier(self._runtime).test(self._author)
        return [ChannelTest(channel=name, error=error) for name, error in found.items()]

    def _as_me(self) -> dict[str, Any]:
        return {"now": self._runtime.now(), "author": self._author}


class RemoteAlertDesk:
    """Through the JSON API."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def latest(self, *, open: bool | None, rule: str | None, schedule: str | None) -> list[Alert]:
        """The newest alerts."""
        state = None if open is None else "open" if open else "resolved"
        query = {"state": state, "rule": rule, "schedule": schedule}
        return list(self._client.get(Page[Alert], "/alerts", **query).items)

    def show(self, alert_id: int) -> AlertDetail:
        """An alert and who was told of it."""
        return self._client.get(AlertDetail, f"/alerts/{alert_id}")

    def close(self, alert_id: int) -> bool:
        """Call an alert settled."""
        return self._client.post(Changed, f"/alerts/{alert_id}/close", {}).changed

    def mutes(self) -> list[Mute]:
        """What is muted."""
        return list(self._client.get(Page[Mute], "/mutes").items)

    def mute(self, *, schedule: str | None, rule: str | None, until: datetime, reason: str) -> int:
        """Mute; the mute's id."""
        body = {
            "schedule_id": schedule,
            "rule": rule,
            "until": until.isoformat(),
            "reason": reason,
        }
        return self._client.post(Muted, "/mutes", body).mute_id

    def unmute(self, mute_id: int, *, expected: str | None) -> bool:
        """End a mute."""
        return self._client.post(Changed, f"/mutes/{mute_id}/end", {}, match=expected).changed

    def test(self) -> list[ChannelTest]:
        """Have the console send a test message to every channel that is set up there."""
        return list(self._client.post(ChannelTests, "/alerts/test", {}).items)
