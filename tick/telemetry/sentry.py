"""Sends failures to Sentry: an event for each failed run, with tags to find it by."""

import sentry_sdk
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event

from tick.states import RunStatus
from tick.telemetry import Sink
from tick.telemetry.records import RunRecord

_FLUSH_SECONDS = 3.0


def sentry_client(dsn: str, transport: Transport | None = None) -> sentry_sdk.Client:
    """Return a new client; it reads SENTRY_ENVIRONMENT and SENTRY_RELEASE as usual."""
    return sentry_sdk.Client(
        dsn=dsn,
        # It patches nothing, and gets neither requests nor logs, where secrets may stand.
        default_integrations=False,
        auto_enabling_integrations=False,
        server_name="",  # else it sends the host's
        max_breadcrumbs=0,
        transport=transport,
    )


class Failures(Sink):
    """Sends failed runs. The console and the alerts show errors of ticks."""

    def __init__(self, client: sentry_sdk.Client) -> None:
        self._client = client

    def run(self, record: RunRecord) -> None:
        """Send a failure. Failures of one job by one type of error are one issue."""
        if record.status == RunStatus.FAILED:
            self._client.capture_event(event_of(record))

    def close(self) -> None:
        """Send the rest, for a few seconds at most."""
        self._client.close(timeout=_FLUSH_SECONDS)


def event_of(record: RunRecord) -> Event:
    """Return the run as an event. Pure."""
    kind, message = record.error_type or "Failed", record.error_message or record.reason or ""
    tags = {
        "job": record.job_name,
        "job_group": record.job_group,
        "schedule_id": record.schedule_id or "",
        "occurrence_id": str(record.occurrence_id),
        "run_id": str(record.id),
        "attempt": str(record.attempt),
        "trigger": record.trigger,
        "queue": record.queue,
    }
    return {
        "level": "error",
        "platform": "python",
        "logger": "tick.run",
        "timestamp": record.finished_at,
        "transaction": record.job_name,
        "exception": {"values": [{"type": kind, "value": message}]},
        # Else each message would be an issue, and messages often hold a number or a name.
        "fingerprint": [record.job_name, kind],
        "tags": tags,
        "extra": {"traceback": record.error_traceback or ""},
    }
