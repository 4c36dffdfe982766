"""Names of users: unique whatever their case and form, and none that the audit reserves."""

import unicodedata

import sqlalchemy as sa

from tick.errors import Refused
from tick.store.advisory_locks import AdvisoryLock, acquire
from tick.store.tables import user

MAX_NAME = 100
_MOST_WRITTEN = 10 * MAX_NAME
"""Longer than any form of a name; normalizing a whole form field of marks takes a second."""
# Audit entries use these names and prefixes for actors that are not users.
_RESERVED_NAMES, _RESERVED_PREFIXES = ("system", "cli"), ("token:", "cli:")
_u = user.c


def checked_name(name: str) -> str:
    """Return the name as it is stored. Raises Refused for one that is not allowed."""
    name = unicodedata.normalize("NFC", name.strip())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Refused(f"A user's name has 1 to {MAX_NAME} printable characters.")
    if is_reserved(name):
        raise Refused(f"In the audit {name!r} would be a program; choose another name.")
    return name


def is_reserved(name: str) -> bool:
    """Whether audit entries use the name for an actor that is not a user."""
    return _folded(name) in _RESERVED_NAMES or _folded(name).startswith(_RESERVED_PREFIXES)


def is_free(connection: sa.Connection, name: str) -> bool:
    """Whether no user has the name; this then holds until the transaction ends."""
    acquire(connection, AdvisoryLock.NAMES)
    return find_user_id(connection, name) is None


def find_user_id(connection: sa.Connection, name: str) -> int | None:
    """Return the id of the user of that name, whatever its case and form; None if there is none."""
    # Compared here: the databases agree about upper and lower case of ASCII only.
    wanted = _folded(name[:_MOST_WRITTEN])
    for row in connection.execute(sa.select(_u.id, _u.name)):
        if _folded(row.name) == wanted:
            return int(row.id)
    return None


def _folded(name: str) -> str:
    """The form in which names are compared (Unicode, section 3.13, D146)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())
