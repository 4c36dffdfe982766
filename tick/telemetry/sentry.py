"""Failures to Sentry: an event for each run that failed, with tags to find it by.

Nothing else of Sentry is switched on: it patches nothing, and sees neither requests nor logs.
"""

import sentry_sdk
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event

from tick.engine.ledger.tick_log import TickRow
from tick.states import RunStatus
from tick.telemetry.records import OccurrenceTold, RunTold

_FLUSH_SECONDS = 3.0


def sentry_client(dsn: str, transport: Transport | None = None) -> sentry_sdk.Client:
    """A client of its own; SENTRY_ENVIRONMENT and SENTRY_RELEASE are heeded as usual."""
    return sentry_sdk.Client(
        dsn=dsn,
        default_integrations=False,
        auto_enabling_integrations=False,
        server_name="",
        max_breadcrumbs=0,
        transport=transport,
    )


class Failures:
    """Sends runs that failed; what else happens is not Sentry's business."""

    def __init__(self, client: sentry_sdk.Client) -> None:
        self._client = client

    def tick(self, row: TickRow) -> None:
        """Send nothing: what a tick can't decide, the console and the alerts tell."""

    def occurrence(self, told: OccurrenceTold) -> None:
        """Send nothing: its runs are sent."""

    def run(self, told: RunTold) -> None:
        """Send a failure; failures of one job by one kind of error are one issue."""
        if told.status == RunStatus.FAILED:
            self._client.capture_event(event_of(told))

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""
        self._client.close(timeout=_FLUSH_SECONDS)


def event_of(told: RunTold) -> Event:
    """The run as an event. Pure."""
    kind = told.error_type or "Failed"
    tags = {
        "job": told.job_name,
        "job_group": told.job_group,
        "schedule_id": told.schedule_id or "",
        "occurrence_id": str(told.occurrence_id),
        "run_id": str(told.id),
        "attempt": str(told.attempt),
        "trigger": told.trigger,
        "queue": told.queue,
    }
    return {
        "level": "error",
        "platform": "python",
        "logger": "tick.run",
        "timestamp": told.finished_at,
        "transaction": told.job_name,
        "exception": {"values": [{"type": kind, "value": told.error_message or told.reason or ""}]},
        "fingerprint": [told.job_name, kind],
        "tags": tags,
        "extra": {"traceback": told.error_traceback or ""},
    }
