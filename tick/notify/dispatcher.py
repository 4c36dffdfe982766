"""Who looks and delivers, in a process that serves: a thread, so that nobody else ever waits.

A slow or silent receiver delays neither a tick nor a worker nor a page: they only tell the courier
that there may be something, and go on.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from tick.engine.ledger.audit import Author
from tick.notify import outbox
from tick.notify.channels import Channel, channels_of, ping, pings_of
from tick.notify.delivery import attempt, deliver
from tick.notify.evaluate import look
from tick.notify.notifications import FAILED, TEST, AlertText, Parcel
from tick.notify.outbox import Pace
from tick.notify.sending import SendFailed, in_time
from tick.ops.actions.alerts import note_test
from tick.runtime import Runtime
from tick.store.database import TRANSIENT, short_error
from tick.ticks.result import TickResult

log = logging.getLogger(__name__)
ROUND_SECONDS = 10.0
"""How often a process that serves looks around."""
MOST_IN_A_ROUND = 50
CHANNEL_SECONDS = 15.0
"""After so long in a round, what else one channel is owed is left to the next one."""
PINGS_SECONDS = 20.0
"""After so long in a round, further schedules' pings are left to the next one."""
PING_SECONDS = 5.0
GOODBYE_SECONDS = 2.0
"""How long a process that ends waits for what is being sent."""


class Courier:
    """Looks, then delivers; one round at a time in a process."""

    def __init__(self, runtime: Runtime, channels: Sequence[Channel] | None = None) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self.channels = channels_of(settings) if channels is None else tuple(channels)
        self._pace = Pace(
            settle=timedelta(seconds=settings.alert_settle_seconds),
            rate=timedelta(seconds=settings.alert_rate_seconds),
        )
        self._at_work = threading.Lock()
        self._rounds: list[threading.Thread] = []

    def check(self) -> None:
        """Raise SettingsError for a channel that can never work."""
        for channel in self.channels:
            channel.check()

    def go_round(self) -> None:
        """Look, and send what is due; what fails is tried again by a later round, of anybody."""
        if not self._at_work.acquire(blocking=False):
            return
        try:
            now = self._runtime.now()
            look(self._runtime.database, self.channels, now, self._pace)
            self._deliver()
        except TRANSIENT as error:
            log.warning("alerts wait for the database: %s", short_error(error))
        except Exception:
            log.exception("a round of alerts failed")
        finally:
            self._at_work.release()

    def start_round(self, result: TickResult | None = None) -> threading.Thread:
        """A round in a thread of its own, which the process need not wait for.

        With the `result` of a tick, TICK_PING_URL hears of it first.
        """

        def run() -> None:
            if result is not None:
                self._ping(result)
            self.go_round()

        thread = threading.Thread(target=run, name="alerts", daemon=True)
        thread.start()
        self._rounds = [*(each for each in self._rounds if each.is_alive()), thread]
        return thread

    def wait(self, seconds: float) -> None:
        """Wait for the rounds that have begun, but no longer than that."""
        until = monotonic() + seconds
        for thread in self._rounds:
            thread.join(max(0.0, until - monotonic()))

    def serve(self, stop: threading.Event) -> None:
        """Go round until asked to stop."""
        while not stop.wait(ROUND_SECONDS):
            self.go_round()

    def test(self, author: Author) -> dict[str, str | None]:
        """Send a test message to every channel of the settings, all at once, and wait.

        What went wrong, by channel; None for one that took it.
        """
        now = self._runtime.now()
        note_test(self._runtime.database, now=now, author=author)
        if not self.channels:
            return {}
        said = f"{author.name} asks whether this channel works. It does."
        told = AlertText(0, TEST, "A test of Job Schedule Manager's alerts", said, now)
        parcel = Parcel(0, TEST, 1, now, alert=told)
        with ThreadPoolExecutor(len(self.channels)) as pool:
            errors = list(pool.map(lambda channel: attempt(channel, (parcel,), now), self.channels))
        return {channel.id: error for channel, error in zip(self.channels, errors, strict=True)}

    def _deliver(self) -> None:
        with self._runtime.database.read.connect() as connection:
            due = outbox.due_channels(connection, self._runtime.now())
        for channel in self.channels:
            if channel.id in due:
                self._deliver_to(channel)
        until = monotonic() + PINGS_SECONDS
        for switch in pings_of(due):
            if monotonic() < until:
                self._deliver_to(switch)

    def _deliver_to(self, channel: Channel) -> None:
        until = monotonic() + CHANNEL_SECONDS
        for _ in range(MOST_IN_A_ROUND):
            is_on = deliver(self._runtime.database, channel, self._runtime.now())
            if not is_on or monotonic() >= until:
                break

    def _ping(self, result: TickResult) -> None:
        """Tell the dead-man's switch of the ticking. When a ping gets lost, others follow."""
        url = self._runtime.settings.ping_url
        if url is None:
            return
        which = FAILED if result.errors else ""
        text = "\n".join(f"{id}: {reason}" for id, reason in result.errors.items())
        try:
            in_time(lambda: ping(url.get_secret_value(), which, text), PING_SECONDS)
        except SendFailed as failure:
            log.warning("TICK_PING_URL was not reached: %s", failure)


def after_tick(runtime: Runtime, result: TickResult, seconds: float) -> None:
    """Let a courier go round once, and wait for it for at most so long.

    What it has not sent by then it goes on sending while the process lives; else another does.
    """
    started = monotonic()
    thread = Courier(runtime).start_round(result)
    thread.join(max(0.0, seconds - (monotonic() - started)))


@contextmanager
def at_work(runtime: Runtime) -> Iterator[Courier]:
    """A courier that goes round while a process serves. Raises SettingsError at once."""
    courier = Courier(runtime)
    courier.check()
    stop = threading.Event()
    thread = threading.Thread(target=courier.serve, args=(stop,), name="courier", daemon=True)
    thread.start()
    try:
        yield courier
    finally:
        stop.set()
        thread.join(GOODBYE_SECONDS)
        courier.wait(GOODBYE_SECONDS)
