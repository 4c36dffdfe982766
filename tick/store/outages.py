"""Whether a database fails as a whole, and what to do about it: one sentence for each way.

Such a failure is nobody's fault but the database's: no schedule is blamed for it, and no run.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from tick.store.database import short_error

CHECK = "Check TICK_DATABASE_URL, and that the server runs or the file may be written."
DAMAGED = "The file is damaged: stop everything, and restore a backup (deploy/README.md, Backup)."
_FULL = "The disk is full: make room; until then nothing is decided, and nothing is lost."
_READ_ONLY = (
    "It can't be written to: give this user the file and its folder, and mount it for writing."
)
# By the name of SQLite's result code up to its second underscore.
_SQLITE = {
    "SQLITE_FULL": _FULL,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_IOERR": "The disk fails: see the system's log.",
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_PERM": _READ_ONLY,
    "SQLITE_AUTH": _READ_ONLY,
    "SQLITE_CANTOPEN": CHECK,
    "SQLITE_BUSY": "Another process keeps it locked: see who has a transaction open.",
}
# By PostgreSQL's code, or the class that its first two letters are.
_POSTGRESQL = {
    "53100": _FULL,
    "53300": "The server has no connection left: raise max_connections, or use a pooler.",
    "25006": "It takes no writes: a standby, or default_transaction_read_only of server or role.",
    "08": CHECK,
    "28": "It refuses this user: check the name, the password and pg_hba.conf.",
    "53": "The server lacks memory or disk: see its log.",
    "57P": "It stops, starts, or cut this connection: it is asked again.",
    "58": "The server's disk fails: see its log.",
    "XX": "The server found its data damaged: see its log, and restore a backup.",
}
# What one statement met: it may go well the next time, and others do meanwhile.
_IN_THE_WAY = {
    "40": "Others wanted the same at one moment: try again.",
    "55P03": "Another transaction keeps it locked: see pg_stat_activity for one that stays open.",
    "57014": "It took too long, or somebody ended it: see pg_stat_activity for what is slow.",
}


def advice_on(error: BaseException) -> str | None:
    """Advice on a database that fails, or a statement with others in its way; None on all else."""
    return _advice_on_outage(error) or _by_code(error, _IN_THE_WAY)


def _advice_on_outage(error: BaseException) -> str | None:
    if isinstance(error, sa.exc.TimeoutError):
        return "Every connection of this process is in use."
    if not isinstance(error, sa.exc.DBAPIError):
        return None
    orig = error.orig
    name = getattr(orig, "sqlite_errorname", None)
    if name is not None:
        return _SQLITE.get("_".join(name.split("_")[:2]))
    if getattr(orig, "sqlstate", None) is not None:
        return _by_code(error, _POSTGRESQL)
    # No code: there was no connection, or it was lost; or the file is not the one that it was.
    is_lost = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
    return CHECK if is_lost else None


def _by_code(error: BaseException, table: Mapping[str, str]) -> str | None:
    """The advice in a table on PostgreSQL's code for the error, or on the class of that."""
    code = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return next((table[key] for key in (code, code[:3], code[:2]) if key in table), None)


def is_outage(error: BaseException) -> bool:
    """Whether the database as a whole fails, rather than one statement."""
    return _advice_on_outage(error) is not None


def sentence(error: Exception) -> str:
    """The words of the database, and advice."""
    said = short_error(error).partition(": ")[2]
    advice = advice_on(error)
    # What stands in our own words says by itself what to do.
    return f"{said}." if advice is None or "under this process" in said else f"{said}. {advice}"
