"""The frame of every action: its transaction, the check of the revision, the audit entry.

An action is a function that takes a Change first and is declared by `@action`. It is called with
the database and an Act in that place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from tick.engine.ledger.audit import MAX_REASON as MAX_REASON
from tick.engine.ledger.audit import Act as Act
from tick.engine.ledger.audit import Acting
from tick.engine.ledger.audit import Author as Author
from tick.errors import Stale
from tick.store.advisory_locks import AdvisoryLock, acquire
from tick.store.database import Database

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Change(Acting):
    """An action under way: its transaction, the act, and what it is done to."""

    action: str
    subject: str

    def expect(self, present: str, now_it_is: str) -> None:
        """Raise Stale, with `now_it_is` in it, if the revision that was read is not the present."""
        if self.act.revision != present:
            raise Stale(f"{now_it_is} Read it again, then decide.")

    def record(
        self,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reason: str | None = None,
        subject: str | None = None,
    ) -> int | None:
        """Write the audit entry and return its id; an action that changes nothing writes none."""
        return self.act.record(
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
    check: Callable[[Change], None] | None = None,
) -> Callable[
    [Callable[Concatenate[Change, Given], Result]],
    Callable[Concatenate[Database, Act, Given], Result],
]:
    """Declare an action by its name in the audit.

    Unless `subject` is given, its first argument is what it is done to. `check` locks what is to
    change and raises Stale if its revision is another one by now; `lock` is taken before.
    """

    def declare(
        function: Callable[Concatenate[Change, Given], Result],
    ) -> Callable[Concatenate[Database, Act, Given], Result]:
        @wraps(function)
        def run(
            database: Database, act: Act, /, *args: Given.args, **kwargs: Given.kwargs
        ) -> Result:
            # A revision that nobody compares would let an outdated change through in silence.
            if act.revision is not None and check is None:
                raise TypeError(f"{name} knows no revision of what it changes")
            with database.write.begin() as connection:
                change = Change(connection, act, name, subject or str(args[0]))
                if lock is not None:
                    acquire(connection, lock)
                if act.revision is not None and check is not None:
                    check(change)
                return function(change, *args, **kwargs)

        return run

    return declare
