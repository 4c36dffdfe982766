"""Brings definitions to the database, for a person or a process that starts."""

import logging
from datetime import datetime

from tick.engine.ledger.audit import SYSTEM, Act, Author
from tick.engine.ledger.environment import take_environment
from tick.engine.schedules import sync
from tick.engine.schedules.generations import DefinitionStatus, definition_status
from tick.errors import DefinitionsInvalid, OlderZoneData
from tick.runtime import Runtime
from tick.utc import utc
from tick.version import __version__

log = logging.getLogger(__name__)


def ensure_synced(runtime: Runtime, now: datetime) -> None:
    """Sync the definitions, unless these very ones were synced before. Raises WrongEnvironment."""
    try:
        runtime.registry  # noqa: B018  (loads them)
    except DefinitionsInvalid as error:  # a tick decides by the stored ones all the same
        log.warning("goes by the definitions that are stored; `tick check` has more: %s", error)
        return
    with runtime.database.read.connect() as connection:
        status = definition_status(connection, runtime.registry)
    if status is DefinitionStatus.IN_FORCE:
        return
    if status is DefinitionStatus.SUPERSEDED:
        log.warning(
            "newer definitions than these are in force; after a rollback, run `tick sync` to "
            "bring these back"
        )
    elif status is DefinitionStatus.IN_FORCE_ANYWHERE:
        with runtime.database.write.begin() as connection:
            take_environment(connection, runtime.registry.environment, Act(now, SYSTEM))
    elif not runtime.registry.schedules:
        # More likely a wrong TICK_DEFINITIONS than a wish to remove everything.
        log.warning("these definitions hold no schedule; `tick sync` would remove all there are")
    else:
        try:
            sync_definitions(runtime, now, author=SYSTEM)
        except OlderZoneData as error:
            log.warning("the definitions are not synced: %s", error)


def sync_definitions(
    runtime: Runtime, now: datetime, *, author: Author, accept_older_zone_data: bool = False
) -> sync.SyncReport:
    """Bring the database to the definitions in code; see tick.engine.schedules.sync."""
    with runtime.database.write.begin() as connection:
        return sync.sync(
            connection,
            runtime.registry,
            now=utc(now, "now"),
            author=author,
            release=__version__,
            accept_older_zone_data=accept_older_zone_data,
        )
