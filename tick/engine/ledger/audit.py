"""The append-only record of who changed what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.errors import Refused
from tick.store.tables import audit_entry

MAX_REASON = 500
OF_MANY = tuple(
    f"schedules.{what}" for what in ("enable", "disable", "pause", "resume", "run", "mute")
)
"""The actions on many schedules, whose one entry names each of them by its id."""


@dataclass(frozen=True)
class Author:
    """The name of a person or program that acts, and the id of its request."""

    name: str
    request_id: str | None = None

    def did(self, action: str, reason: str | None = None) -> str:
        """The reason that a row keeps of an action: `cancelled by ada: wrong day`."""
        return f"{action} by {self.name}: {reason}" if reason else f"{action} by {self.name}"


SYSTEM = Author("system")
_INSERT = sa.insert(audit_entry).returning(audit_entry.c.id)


@dataclass(frozen=True)
class Act:
    """The instant, the author and the reason of a change.

    It fails unless what is changed still has the `revision`. Two requests with one `key` are one.
    """

    now: datetime
    author: Author
    reason: str | None = None
    revision: str | None = None
    key: str | None = None

    def required_reason(self, refusal: str) -> str:
        """Return the reason. Raises Refused if there is none."""
        if not (reason := (self.reason or "").strip()):
            raise Refused(refusal)
        return reason

    def record(
        self,
        connection: sa.Connection,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> int | None:
        """Write an audit entry, in the transaction of the change; the reason is the act's own.

        Returns its id.
        """
        by = {"at": self.now, "actor": self.author.name, "request_id": self.author.request_id}
        what = {"action": action, "subject": subject, "before": before, "after": after}
        entry = {**by, **what, "reason": reason or self.reason}
        written: int = connection.execute(_INSERT, entry).scalar_one()
        return written


@dataclass(frozen=True)
class Acting:
    """A transaction, and the act that it is for."""

    connection: sa.Connection
    act: Act

    @property
    def now(self) -> datetime:
        """The instant of the act."""
        return self.act.now

    @property
    def author(self) -> Author:
        """The author of the act."""
        return self.act.author
