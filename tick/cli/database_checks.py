"""What `tick doctor` looks at in the database itself, whatever is stored in it."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

from tick.cli.doctor_checks import CheckResult, good, problem, warning
from tick.store.database import Database
from tick.store.outages import DAMAGED
from tick.store.postgresql import is_pooled

MOST_SECONDS = 10.0
"""How long the look at a SQLite file's pages may take."""
_STEPS = 100_000
_UTC = {"utc", "uct", "gmt", "zulu", "universal"}


def check_sessions(database: Database) -> Iterator[CheckResult]:
    """Say what stands before a PostgreSQL server, and in which zone its sessions begin."""
    if database.read.dialect.name != "postgresql":
        return
    with database.read.connect() as connection:
        driver: Any = connection.connection.driver_connection
        (zone,) = driver.execute("SHOW timezone").fetchone()
        pooled = is_pooled(driver)
    if pooled:
        # Not a fault: LISTEN needs a session of its own, so workers do without.
        yield good("database", "A pooler stands before the server: workers poll for new runs.")
    if zone.lower().removeprefix("etc/") not in _UTC:
        text = f"Sessions of this server, database or role begin in the zone {zone}."
        advice = (
            "Nothing here depends on it, but what you ask by hand is shown in it: "
            "ALTER ROLE … SET timezone = 'UTC'."
        )
        yield warning("database", text, advice)


def check_pages(database: Database, most_seconds: float = MOST_SECONDS) -> CheckResult | None:
    """Return what is wrong with the pages of a SQLite file, as far as there is time to look."""
    if database.read.dialect.name != "sqlite":
        return None
    until = monotonic() + most_seconds
    with database.read.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # The only way to end a look at a large file in time: SQLite asks whether to go on.
        driver.set_progress_handler(lambda: monotonic() > until, _STEPS)
        try:
            (said,) = driver.execute("PRAGMA quick_check(1)").fetchone()
        except driver.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_INTERRUPT":
                return problem("database", f"{error}.", DAMAGED)
            return good("database", f"No damage was found in {most_seconds:.0f} s of looking.")
        except driver.DatabaseError as error:
            return problem("database", f"{error}.", DAMAGED)
        finally:
            # The connection goes back to the pool, where the next statement must not end by it.
            driver.set_progress_handler(None, 0)
    if said == "ok":
        return None
    return problem("database", f"{' '.join(said.split())}.", DAMAGED)
