"""Sends what is owed, one attempt at a time, outside of any transaction."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic

from tick.define.alerts import UNDELIVERED
from tick.notify.channels import Channel
from tick.notify.evaluate import open_alerts
from tick.notify.notifications import Parcel
from tick.notify.outbox import (
    GIVE_UP_AFTER,
    Claimed,
    claim,
    record,
    undelivered_key,
)
from tick.notify.rules import Finding
from tick.notify.sending import SendFailed, in_time
from tick.store.database import Database

log = logging.getLogger(__name__)


def deliver(database: Database, channel: Channel, now: datetime) -> bool:
    """Claim what a channel is owed, send it, and write down how it went; whether to go on.

    False when nothing was due, or the attempt failed: the channel is left alone for a while then.
    """
    with database.write.begin() as connection:
        claimed = claim(connection, channel, now)
    if claimed is None:
        return False
    started = monotonic()
    error = attempt(channel, claimed.parcels, now)
    took = monotonic() - started
    with database.write.begin() as connection:
        ended = now + timedelta(seconds=took)
        given_up = record(connection, claimed, ended, took, error)
        if given_up:
            lost = _undelivered(channel, len(given_up), error or "", ended)
            open_alerts(connection, [lost], ended)
    if error:
        log.warning("%s could not be told, attempt %d: %s", channel.id, _attempts(claimed), error)
    if given_up:
        log.error("gave up telling %s of %d alerts: %s", channel.id, len(given_up), error)
    return error is None


def attempt(channel: Channel, parcels: Sequence[Parcel], now: datetime) -> str | None:
    """Send parcels together, in bounded time. What went wrong; None when the channel took them."""
    try:
        in_time(lambda: channel.send(parcels, now))
    except SendFailed as failure:
        return str(failure)
    return None


def _attempts(claimed: Claimed) -> int:
    return max(parcel.attempt for parcel in claimed.parcels)


def _undelivered(channel: Channel, count: int, error: str, now: datetime) -> Finding:
    return Finding(
        undelivered_key(channel.id),
        UNDELIVERED,
        f"{channel.id} can't be reached",
        f"{count} messages were given up after 24 hours of trying: {error}. Look after the "
        "receiver or its address, then `tick alerts test`.",
        expires_at=now + GIVE_UP_AFTER,
    )
