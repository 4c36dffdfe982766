"""The composition root: settings, database, definitions and clock, opened together once."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tick import clock
from tick.define.jobs import JobDefinition
from tick.define.registry import Registry, load_jobs, load_registry
from tick.errors import ClockError, DefinitionsInvalid
from tick.policy.tick_health import CLOCKS_DIFFER
from tick.settings import Settings, load_settings
from tick.store.database import Database
from tick.telemetry import Telemetry, open_telemetry
from tick.utc import Utc

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Runtime:
    """The parts that tick, worker, console and command line work with."""

    settings: Settings
    database: Database

    @cached_property
    def registry(self) -> Registry:
        """The definitions, loaded at first use. Raises DefinitionsInvalid with every mistake."""
        return load_registry(self.settings.definitions, self.settings.environment)

    @cached_property
    def jobs(self) -> Mapping[str, JobDefinition]:
        """The jobs that this process can run. Raises DefinitionsInvalid if none can be loaded."""
        # A mistake elsewhere in the definitions keeps no job from running.
        try:
            return self.registry.jobs
        except DefinitionsInvalid as error:
            jobs = load_jobs(self.settings.definitions)
            log.warning("runs the %d jobs that can be loaded: %s", len(jobs), error)
            return jobs

    @cached_property
    def telemetry(self) -> Telemetry:
        """The exports to other systems, opened at first use. Raises SettingsError."""
        return open_telemetry(self.settings)

    def now(self) -> Utc:
        """Return the present instant, by the clock that all processes share."""
        if self.database.write.dialect.name != "postgresql":
            return clock.now()
        with self.database.read.connect() as connection:
            return clock.database_now(connection)

    def close(self) -> None:
        """Close every connection, and send the exports that wait."""
        # Not `self.telemetry`, which would open it now.
        if "telemetry" in vars(self):
            self.telemetry.close()
        self.database.close()


def refuse_ahead(now: datetime, shared: datetime) -> None:
    """Raise ClockError when `now` is ahead of the shared clock by more than clocks may differ."""
    # A tick by such a clock would put every schedule's cursor there, and prune by it.
    if now - shared > CLOCKS_DIFFER:
        raise ClockError(
            f"{now.isoformat()} is {now - shared} ahead of the clock that all processes share, "
            f"and everything before it would count as decided. Ticks may be ahead by "
            f"{CLOCKS_DIFFER}; for a simulation pass simulated=True."
        )


@contextmanager
def open_runtime(settings: Settings | None = None) -> Iterator[Runtime]:
    """Yield a runtime from the settings (default: the environment). Raises SettingsError."""
    settings = settings or load_settings()
    runtime = Runtime(settings, Database(settings.database_url))
    try:
        yield runtime
    finally:
        runtime.close()
