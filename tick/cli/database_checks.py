"""What `tick doctor` looks at in the database itself, whatever is stored in it."""

from collections.abc import Iterator
from typing import Any

from tick.cli.checks import Finding, good, warning
from tick.db import Database
from tick.postgresql import is_pooled

_UTC = {"utc", "uct", "gmt", "zulu", "universal"}


def check_sessions(database: Database) -> Iterator[Finding]:
    """What stands before a PostgreSQL server, and in which zone its sessions begin."""
    if database.read.dialect.name != "postgresql":
        return
    with database.read.connect() as connection:
        driver: Any = connection.connection.driver_connection
        (zone,) = driver.execute("SHOW timezone").fetchone()
        pooled = is_pooled(driver)
    if pooled:
        text = "A pooler stands before the server: workers poll for new runs."
        yield good("database", text)
    if zone.lower().removeprefix("etc/") not in _UTC:
        text = f"Sessions of this server, database or role begin in the zone {zone}."
        advice = (
            "Nothing here depends on it, but what you ask by hand is shown in it: "
            "ALTER ROLE … SET timezone = 'UTC'."
        )
        yield warning("database", text, advice)
