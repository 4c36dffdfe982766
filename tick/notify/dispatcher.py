"""Evaluates the alert rules and sends notifications, in threads of a process that serves."""

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

from tick.define.alerts import UNDELIVERED
from tick.engine.ledger.audit import Act, Author
from tick.notify import outbox
from tick.notify.channels import Channel, channels_of, ping, ping_channels_of
from tick.notify.evaluate import evaluate, open_alerts
from tick.notify.messages import FAILED, TEST, AlertSnapshot, Notification
from tick.notify.outbox import GIVE_UP_AFTER, DeliveryPolicy, undelivered_key
from tick.notify.rules import DetectedAlert
from tick.notify.sending import SendFailed, run_with_timeout
from tick.ops.actions.alerts import note_test
from tick.runtime import Runtime
from tick.store.database import TRANSIENT, Database, short_error
from tick.ticks.result import TickResult

log = logging.getLogger(__name__)
INTERVAL_SECONDS = 10.0
"""How often a process that serves evaluates and sends."""
MAX_BATCHES = 50
# How long one run sends to one channel, and pings of schedules: a receiver that is slow must not
# keep the others waiting, and the next run goes on.
CHANNEL_SECONDS = 15.0
PINGS_SECONDS = 20.0
PING_SECONDS = 5.0
SHUTDOWN_SECONDS = 2.0
"""How long a process that ends waits for messages that are being sent."""


class NotificationDispatcher:
    """Evaluates the alert rules, then sends what is due; one run at a time in a process."""

    def __init__(self, runtime: Runtime, channels: Sequence[Channel] | None = None) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self.channels = channels_of(settings) if channels is None else tuple(channels)
        self._policy = DeliveryPolicy(
            settle=timedelta(seconds=settings.alert_settle_seconds),
            rate=timedelta(seconds=settings.alert_rate_seconds),
        )
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def check(self) -> None:
        """Raise SettingsError for a channel that can never work."""
        for channel in self.channels:
            channel.check()

    def run_once(self) -> None:
        """Evaluate, and send what is due; do nothing while another thread is at it."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            now = self._runtime.now()
            evaluate(self._runtime.database, self.channels, now, self._policy)
            self._deliver()
        # Nothing is lost: the outbox holds it, and a later run of any process tries again.
        except TRANSIENT as error:
            log.warning("alerts wait for the database: %s", short_error(error))
        except Exception:
            log.exception("alerts could not be evaluated or sent")
        finally:
            self._lock.release()

    def run_in_thread(self, result: TickResult | None = None) -> threading.Thread:
        """Start `run_once` in a thread; with the `result` of a tick, ping TICK_PING_URL first."""

        def run() -> None:
            if result is not None:
                self._ping(result)
            self.run_once()

        # A daemon, so that a receiver that never answers can't keep a process from ending.
        thread = threading.Thread(target=run, name="alerts", daemon=True)
        thread.start()
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]
        return thread

    def wait(self, seconds: float) -> None:
        """Wait for the threads that were started, for at most so many seconds."""
        until = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))

    def serve(self, stop: threading.Event) -> None:
        """Run every INTERVAL_SECONDS until `stop` is set."""
        while not stop.wait(INTERVAL_SECONDS):
            self.run_once()

    def test(self, author: Author) -> dict[str, str | None]:
        """Send a test message to all channels at once, and return the error or None of each."""
        now = self._runtime.now()
        note_test(self._runtime.database, Act(now, author))
        if not self.channels:
            return {}
        text = f"{author.name} asks whether this channel works. It does."
        snapshot = AlertSnapshot(0, TEST, "A test of Job Schedule Manager's alerts", text, now)
        notification = Notification(0, TEST, 1, now, alert=snapshot)
        send = partial(attempt, notifications=(notification,), now=now)
        with ThreadPoolExecutor(len(self.channels)) as pool:
            errors = pool.map(send, self.channels)
            return {channel.id: error for channel, error in zip(self.channels, errors, strict=True)}

    def _deliver(self) -> None:
        with self._runtime.database.read.connect() as connection:
            due = outbox.due_channels(connection, self._runtime.now())
        for channel in self.channels:
            if channel.id in due:
                self._deliver_to(channel)
        until = monotonic() + PINGS_SECONDS
        for switch in ping_channels_of(due):
            if monotonic() < until:
                self._deliver_to(switch)

    def _deliver_to(self, channel: Channel) -> None:
        until = monotonic() + CHANNEL_SECONDS
        for _ in range(MAX_BATCHES):
            # The clock is read for each batch: a lease that began long ago would be short.
            is_on = deliver(self._runtime.database, channel, self._runtime.now())
            if not is_on or monotonic() >= until:
                break

    def _ping(self, result: TickResult) -> None:
        """Ping TICK_PING_URL."""
        url = self._runtime.settings.ping_url
        if url is None:
            return
        which = FAILED if result.errors else ""
        text = "\n".join(f"{id}: {reason}" for id, reason in result.errors.items())
        try:
            run_with_timeout(lambda: ping(url.get_secret_value(), which, text), PING_SECONDS)
        except SendFailed as failure:  # not sent again: the next tick pings as well
            log.warning("TICK_PING_URL was not reached: %s", failure)


def after_tick(runtime: Runtime, result: TickResult, seconds: float) -> None:
    """Evaluate and send once in a thread, and wait for it for at most so many seconds."""
    until = monotonic() + seconds
    thread = NotificationDispatcher(runtime).run_in_thread(result)
    # A platform freezes its process after the answer: what is left then, another process sends.
    thread.join(max(0.0, until - monotonic()))


@contextmanager
def running(runtime: Runtime) -> Iterator[NotificationDispatcher]:
    """Run a dispatcher for as long as the block lasts. Raises SettingsError for a bad channel."""
    dispatcher = NotificationDispatcher(runtime)
    dispatcher.check()
    stop = threading.Event()
    thread = threading.Thread(
        target=dispatcher.serve, args=(stop,), name="notifications", daemon=True
    )
    thread.start()
    try:
        yield dispatcher
    finally:
        stop.set()
        thread.join(SHUTDOWN_SECONDS)
        dispatcher.wait(SHUTDOWN_SECONDS)


def deliver(database: Database, channel: Channel, now: datetime) -> bool:
    """Send one batch to a channel and record the result. Return whether more may be sent."""
    # Two transactions with the sending between them: none is open while a receiver takes its time.
    with database.write.begin() as connection:
        claimed = outbox.claim(connection, channel, now)
    if claimed is None:
        return False
    started = monotonic()
    error = attempt(channel, claimed.notifications, now)
    took = monotonic() - started
    with database.write.begin() as connection:
        ended = now + timedelta(seconds=took)
        given_up = outbox.record(connection, claimed, ended, took, error)
        if given_up:
            lost = _undelivered(channel, len(given_up), error or "", ended)
            open_alerts(connection, [lost], ended)
    if error:
        log.warning("%s could not be told, attempt %d: %s", channel.id, claimed.attempt, error)
    if given_up:
        log.error("gave up telling %s of %d alerts: %s", channel.id, len(given_up), error)
    return error is None


def attempt(channel: Channel, notifications: Sequence[Notification], now: datetime) -> str | None:
    """Send notifications together, in bounded time. Return the error, None for success."""
    try:
        run_with_timeout(lambda: channel.send(notifications, now))
    except SendFailed as failure:
        return str(failure)
    return None


def _undelivered(channel: Channel, count: int, error: str, now: datetime) -> DetectedAlert:
    return DetectedAlert(
        undelivered_key(channel.id),
        UNDELIVERED,
        f"{channel.id} can't be reached",
        f"{count} messages were given up after 24 hours of trying: {error}. Look after the "
        "receiver or its address, then `tick alerts test`.",
        expires_at=now + GIVE_UP_AFTER,
    )
