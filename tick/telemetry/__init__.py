"""Exports to other systems: traces by OpenTelemetry, failures to Sentry, logs as JSON.

A tick exports the ends that it counted (tick.engine.statistics.count), so one process exports each
end, within a minute or so. An export neither delays a tick nor fails it.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from operator import methodcaller

import sqlalchemy as sa

from tick.engine.ledger.tick_log import TickRow
from tick.engine.statistics.count import Counted
from tick.errors import SettingsError
from tick.settings import Settings
from tick.store.database import short_error
from tick.telemetry.records import OccurrenceRecord, RunRecord, read_occurrences, read_runs

log = logging.getLogger(__name__)
# Older ends are not exported: an upgrade may count those of years, which are no news.
LATEST = timedelta(days=1)


class Sink:
    """Exports ticks, occurrences and runs to one system; nothing of those that it leaves out."""

    def tick(self, row: TickRow) -> None:
        """Export a tick that found something due, or failed."""

    def occurrence(self, record: OccurrenceRecord) -> None:
        """Export an occurrence that came to its outcome."""

    def run(self, record: RunRecord) -> None:
        """Export a run that ended."""

    def close(self) -> None:
        """Send the rest, and stop."""


class Telemetry:
    """Exports to all sinks of a process; by default there is none."""

    def __init__(self, sinks: Sequence[Sink] = ()) -> None:
        self._sinks = sinks

    def tick(self, row: TickRow) -> None:
        """Export a tick, unless it was idle."""
        if row.due or row.error:
            self._send(methodcaller("tick", row))

    def ended(self, engine: sa.Engine, counted: Iterable[Counted], now: datetime) -> None:
        """Export the ends that a tick counted, except for old ones."""
        if not self._sinks:
            return
        try:
            for part in counted:
                with engine.connect() as connection:
                    runs = read_runs(connection, part.runs, now - LATEST)
                    occurrences = read_occurrences(connection, part.occurrences, now - LATEST)
                # Not within the transaction, which would last as long as a slow exporter.
                for record in occurrences:
                    self._send(methodcaller("occurrence", record))
                for run in runs:
                    self._send(methodcaller("run", run))
        except sa.exc.SQLAlchemyError as error:
            log.warning("ends were not exported: %s", short_error(error))

    def close(self) -> None:
        """Close every sink."""
        self._send(methodcaller("close"))

    def _send(self, send: Callable[[Sink], None]) -> None:
        for sink in self._sinks:
            try:
                send(sink)
            except Exception as error:  # of a library that is not ours; a tick must not fail by it
                log.warning("%s failed to export: %s", type(sink).__name__, error)


def open_telemetry(settings: Settings) -> Telemetry:
    """Open the sinks of the settings. Raises SettingsError if a package is missing."""
    sinks: list[Sink] = []
    try:
        # Imported only where it is asked for: both are optional, and take long to load.
        if settings.traces == "otlp":
            from tick.telemetry.traces import Traces, otlp_provider

            sinks.append(Traces(otlp_provider()))
        if settings.sentry_dsn is not None:
            from tick.telemetry.sentry import Failures, sentry_client

            sinks.append(Failures(sentry_client(settings.sentry_dsn.get_secret_value())))
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed: TICK_TRACES needs "
            "pip install 'job-schedule-manager[otel]', TICK_SENTRY_DSN needs [sentry]."
        ) from None
    return Telemetry(sinks)
