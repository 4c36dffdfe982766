"""The append-only record of who changed what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.store.tables import audit_entry

MAX_REASON = 500


@dataclass(frozen=True)
class Author:
    """Who acts, and by which request."""

    name: str
    request_id: str | None = None

    def did(self, action: str, reason: str | None = None) -> str:
        """The reason that a row keeps of an action: `cancelled by ada: wrong day`."""
        return f"{action} by {self.name}: {reason}" if reason else f"{action} by {self.name}"


SYSTEM = Author("system")


def record(
    connection: sa.Connection,
    *,
    at: datetime,
    author: Author,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Write one entry, in the transaction of the change that it speaks of."""
    connection.execute(
        sa.insert(audit_entry),
        {
            "at": at,
            "actor": author.name,
            "action": action,
            "subject": subject,
            "before": before,
            "after": after,
            "reason": reason,
            "request_id": author.request_id,
        },
    )
