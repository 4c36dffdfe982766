"""Who changed what, as people read it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.models import audit_entry
from tick.ops.queries.paging import PAGE_ROWS, Page, cut

_a = audit_entry.c


@dataclass(frozen=True)
class AuditRow:
    """One change: who made it, of what, and what was there before and after."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: Any
    after: Any
    reason: str | None
    request_id: str | None


_ROWS = sa.select(*(_a[field.name] for field in fields(AuditRow)))


def list_audit(
    connection: sa.Connection,
    *,
    subject: str | None = None,
    actor: str | None = None,
    before: int | None = None,
) -> Page[AuditRow]:
    """A page of changes, newest first; of one subject, or by one actor, if they are given."""
    query = _ROWS.order_by(_a.id.desc()).limit(PAGE_ROWS + 1)
    if subject is not None:
        query = query.where(_a.subject == subject)
    if actor is not None:
        query = query.where(_a.actor == actor)
    if before is not None:
        query = query.where(_a.id < before)
    return cut([AuditRow(**row._mapping) for row in connection.execute(query)])
