"""What goes to systems outside: traces by OpenTelemetry, failures to Sentry, logs as JSON.

A tick hands over what it counted (tick.engine.statistics.count), so each end is told by one
process, whoever brought it about, within a minute or so. Nothing here holds a tick up or fails it.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from operator import methodcaller
from typing import Protocol

import sqlalchemy as sa

from tick.engine.ledger.tick_log import TickRow
from tick.engine.statistics.count import Counted
from tick.errors import SettingsError
from tick.settings import Settings
from tick.store.database import short_error
from tick.telemetry.records import OccurrenceTold, RunTold, read_occurrences, read_runs

log = logging.getLogger(__name__)
LATEST = timedelta(days=1)
"""What ended longer ago is news to nobody."""


class Sink(Protocol):
    """A system outside that hears of ticks, occurrences and runs."""

    def tick(self, row: TickRow) -> None:
        """A tick that found something due, or went wrong."""

    def occurrence(self, told: OccurrenceTold) -> None:
        """An occurrence that came to its outcome."""

    def run(self, told: RunTold) -> None:
        """A run that ended."""

    def close(self) -> None:
        """Send what is still to be sent, and stop."""


class Telemetry:
    """All sinks of a process; none by default."""

    def __init__(self, sinks: Sequence[Sink] = ()) -> None:
        self._sinks = sinks

    def tick(self, row: TickRow) -> None:
        """Tell of a tick, unless it was an idle one."""
        if row.due or row.error:
            self._tell(methodcaller("tick", row))

    def ended(self, engine: sa.Engine, counted: Iterable[Counted], now: datetime) -> None:
        """Tell of what a tick counted, unless it ended long before: as after an upgrade."""
        if not self._sinks:
            return
        try:
            for part in counted:
                with engine.connect() as connection:
                    runs = read_runs(connection, part.runs, now - LATEST)
                    occurrences = read_occurrences(connection, part.occurrences, now - LATEST)
                self._tell_all(occurrences, runs)
        except sa.exc.SQLAlchemyError as error:
            log.warning("what ended was not told: %s", short_error(error))

    def _tell_all(self, occurrences: Iterable[OccurrenceTold], runs: Iterable[RunTold]) -> None:
        for told in occurrences:
            self._tell(methodcaller("occurrence", told))
        for run in runs:
            self._tell(methodcaller("run", run))

    def close(self) -> None:
        """Let every sink send what it still has."""
        self._tell(methodcaller("close"))

    def _tell(self, tell: Callable[[Sink], None]) -> None:
        for sink in self._sinks:
            try:
                tell(sink)
            except Exception as error:
                log.warning("%s was not told: %s", type(sink).__name__, error)


def open_telemetry(settings: Settings) -> Telemetry:
    """The sinks that the settings name. Raises SettingsError when a package is missing."""
    sinks: list[Sink] = []
    try:
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
