"""What people are called: each name once, however it is written, and never as a program is."""

import unicodedata

import sqlalchemy as sa

from tick.errors import Refused
from tick.store.advisory_locks import AdvisoryLock, acquire
from tick.store.tables import user

MAX_NAME = 100
_MOST_WRITTEN = 10 * MAX_NAME
"""More than a name has in any form. Of marks alone, as many as a form holds take a second."""
# The audit names by them whoever is no person with an account.
_PROGRAMS, _KINDS_OF_PROGRAM = ("system", "cli"), ("token:", "cli:")
_u = user.c


def checked_name(name: str) -> str:
    """The name as it is kept. Raises Refused for one that nobody may have."""
    name = unicodedata.normalize("NFC", name.strip())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Refused(f"A user's name has 1 to {MAX_NAME} printable characters.")
    if is_a_programs(name):
        raise Refused(f"In the audit {name!r} would be a program; choose another name.")
    return name


def is_a_programs(name: str) -> bool:
    """Whether the audit would take whoever is called so for a program."""
    return _folded(name) in _PROGRAMS or _folded(name).startswith(_KINDS_OF_PROGRAM)


def is_free(connection: sa.Connection, name: str) -> bool:
    """Whether nobody is called so, which then holds to the end of the transaction."""
    acquire(connection, AdvisoryLock.NAMES)
    return find_named(connection, name) is None


def find_named(connection: sa.Connection, name: str) -> int | None:
    """The id of the account that is meant, in whatever case and form the name is written.

    Compared here and not there: only of ASCII do both databases know the small letters.
    """
    wanted = _folded(name[:_MOST_WRITTEN])
    for row in connection.execute(sa.select(_u.id, _u.name)):
        if _folded(row.name) == wanted:
            return int(row.id)
    return None


def _folded(name: str) -> str:
    """By which names are the same (Unicode, section 3.13, D146)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())
