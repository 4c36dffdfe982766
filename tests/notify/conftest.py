"""A world whose alerts go to real receivers, and a dispatcher that tests run by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.notify.receivers import HttpReceiver, MailServer, http_receiver, mail_server
from tests.support.factories import World, a_job, a_schedule
from tick.notify.dispatcher import NotificationDispatcher
from tick.runtime import Runtime
from tick.settings import Settings
from tick.store.tables import alert, alert_delivery

SECRET = "a webhook secret for tests"


@dataclass(frozen=True)
class ClockedRuntime(Runtime):
    """A runtime at an instant of the test's choice."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass
class Alerting:
    """A world with settings for its alerts."""

    world: World
    settings: Settings

    def dispatcher(self, **changes: Any) -> NotificationDispatcher:
        """Another process's dispatcher, at the present of the world."""
        settings = self.settings.model_copy(update=changes)
        return NotificationDispatcher(ClockedRuntime(settings, self.world.database, self.world.now))

    def run_once(self, *, after: float = 0.0, **changes: Any) -> None:
        """Evaluate and send once, so many seconds later."""
        self.world.now += timedelta(seconds=after)
        self.dispatcher(**changes).run_once()

    def run_until_sent(self) -> None:
        """Run twice: alerts that the first run opened have settled by the second."""
        self.run_once()
        self.run_once(after=self.settings.alert_settle_seconds + 1)

    def tick_on(self, minutes: int, *, every: int = 1) -> None:
        """Tick each minute for so long."""
        for _ in range(0, minutes, every):
            self.world.tick(self.world.now + timedelta(minutes=every))

    def alerts(self) -> list[sa.Row[Any]]:
        """All alerts, the oldest first."""
        return self.world.rows(sa.select(alert).order_by(alert.c.id))

    def open(self) -> list[str]:
        """The rules of the open alerts."""
        return [row.rule for row in self.alerts() if row.resolved_at is None]

    def deliveries(self) -> list[sa.Row[Any]]:
        """All deliveries, the oldest first."""
        return self.world.rows(sa.select(alert_delivery).order_by(alert_delivery.c.id))


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def ping() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def alerting(world: World, mail: MailServer) -> Alerting:
    """A world with one daily schedule that is on, whose people get mail."""
    world.define(a_schedule(), jobs=[a_job("match-scores")])
    world.enable()
    settings = Settings(alert_urls=SecretStr(mail.url))
    return Alerting(world, settings)


@pytest.fixture
def all_channels(alerting: Alerting, hook: HttpReceiver, ping: HttpReceiver) -> Alerting:
    """The same, with a webhook and a dead-man's switch besides."""
    more = {
        "webhook_urls": SecretStr(hook.url),
        "webhook_secret": SecretStr(SECRET),
        "ping_url": SecretStr(ping.url),
    }
    return replace(alerting, settings=alerting.settings.model_copy(update=more))


@pytest.fixture
def silent(alerting: Alerting, hook: HttpReceiver) -> Alerting:
    """Nothing has ticked for just over three minutes; told by a webhook alone."""
    hooks = {"webhook_urls": SecretStr(hook.url), "webhook_secret": SecretStr(SECRET)}
    alerting.settings = alerting.settings.model_copy(update={"alert_urls": None, **hooks})
    alerting.world.disable()
    alerting.tick_on(10)
    alerting.world.now += timedelta(seconds=181)
    return alerting
