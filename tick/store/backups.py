"""Copies of a SQLite file, kept from before a migration."""

import os
import re
import shutil
import stat
from itertools import chain, count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tick.errors import DatabaseError
from tick.store.database import Database, short_error

KEPT = 2
"""The number of copies that stay beside a database, the newest ones."""
MIB = 1024**2


def keep_copy(database: Database, revision: str) -> Path:
    """Copy a SQLite database, which is at this revision, beside itself; returns where to.

    Others may go on writing: it is whole, as of one moment. Raises DatabaseError where there is no
    room.
    """
    source = Path(database.url.database or "")
    _want_room(source)
    part = source.with_name(f"{source.name}.part")
    try:
        # It holds what the database holds: nobody may read it who may not read that.
        part.unlink(missing_ok=True)
        part.touch(stat.S_IMODE(source.stat().st_mode), exist_ok=False)
        with database.read.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("VACUUM INTO ?", (str(part),))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        target = _free_name(source, revision)
        part.rename(target)
    except (OSError, sa.exc.SQLAlchemyError, database.read.dialect.loaded_dbapi.Error) as error:
        part.unlink(missing_ok=True)
        raise DatabaseError(
            f"{source} could not be copied before its migration: {short_error(error)}. Mend that, "
            "or back it up yourself and run `tick db upgrade --no-copy`."
        ) from error
    _forget_older(source)
    return target


def copies_of(source: Path) -> list[Path]:
    """The copies beside a database that were kept here, the newest first."""
    ours = re.compile(re.escape(source.name) + r"\.at-\w+(\.\d+)?")
    found = [path for path in source.parent.iterdir() if ours.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _want_room(source: Path) -> None:
    wal = source.with_name(f"{source.name}-wal")
    needed = source.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    free = shutil.disk_usage(source.parent).free
    if free < needed + MIB:
        raise DatabaseError(
            f"A copy of {source} before its migration needs {needed // MIB + 1:,} MiB, and "
            f"{free // MIB:,} MiB are free in {source.parent}: make room, or back it up elsewhere "
            "and run `tick db upgrade --no-copy`."
        )


def _free_name(source: Path, revision: str) -> Path:
    names = chain([""], (f".{number}" for number in count(2)))
    paths = (source.with_name(f"{source.name}.at-{revision}{more}") for more in names)
    return next(path for path in paths if not path.exists())


def _forget_older(source: Path) -> None:
    for path in copies_of(source)[KEPT:]:
        path.unlink(missing_ok=True)
