"""The frame of every action: its transaction, the check of the revision, the audit entry.

An action is a function that takes a Change first and is declared by `@action`. It is called with
the database and an Act in that place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from tick.engine.ledger.audit import MAX_REASON as MAX_REASON
from tick.engine.ledger.audit import Act as Act
from tick.engine.ledger.audit import Author as Author
from tick.store.advisory_locks import AdvisoryLock, acquire
from tick.store.database import Database

Given = ParamSpec("Given")
Result = TypeVar("Result")
CheckRevision = Callable[[sa.Connection, str, str], None]


@dataclass(frozen=True)
class Change:
    """An action under way: its transaction, the act, and what it is done to."""

    connection: sa.Connection
    act: Act
    action: str
    subject: str

    @property
    def now(self) -> datetime:
        """The instant of the act."""
        return self.act.now

    @property
    def author(self) -> Author:
        """The author of the act."""
        return self.act.author

    def record(
        self,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reason: str | None = None,
        subject: str | None = None,
    ) -> None:
        """Write the audit entry; an action that changes nothing writes none."""
        self.act.record(
            self.connection,
            self.action,
            subject or self.subject,
            before=before,
            after=after,
            reason=reason,
        )


def action(
    name: str,
    *,
    subject: str | None = None,
    lock: AdvisoryLock | None = None,
    check: CheckRevision | None = None,
) -> Callable[
    [Callable[Concatenate[Change, Given], Result]],
    Callable[Concatenate[Database, Act, Given], Result],
]:
    """Declare an action by its name in the audit.

    Unless `subject` is given, its first argument is what it is done to. `check` raises Stale for a
    revision that is out of date, and locks what it read; `lock` is taken before.
    """

    def declare(
        function: Callable[Concatenate[Change, Given], Result],
    ) -> Callable[Concatenate[Database, Act, Given], Result]:
        @wraps(function)
        def run(
            database: Database, act: Act, /, *args: Given.args, **kwargs: Given.kwargs
        ) -> Result:
            about = subject or str(args[0])
            with database.write.begin() as connection:
                if lock is not None:
                    acquire(connection, lock)
                if act.revision is not None:
                    if check is None:
                        raise TypeError(f"{name} knows no revision of what it changes")
                    check(connection, about, act.revision)
                return function(Change(connection, act, name, about), *args, **kwargs)

        return run

    return declare
