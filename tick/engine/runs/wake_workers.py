"""Runs may have become ready: the workers that wait hear of it, and need not poll to find out.

Said by the writers that make runs ready, not by a trigger: that would look at every row of each
claim and each finish, the hottest statements there are, and transactions that notify commit one
after another on PostgreSQL. What becomes ready by time alone is found by polling.
"""

import sqlalchemy as sa

CHANNEL = "tick_ready"


def announce_ready(connection: sa.Connection) -> None:
    """Let the listening workers look for runs once this transaction commits."""
    # However often it is said in one transaction, PostgreSQL says it once. On SQLite they see every
    # commit anyway.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
