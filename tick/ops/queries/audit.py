"""The audit: its entries, and how they are found and listed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.ops.queries.id_ranges import find_id_range
from tick.ops.queries.paging import PAGE_ROWS, paged
from tick.ops.schemas import Page, Schema
from tick.store.tables import audit_entry

_a = audit_entry.c


class AuditEntry(Schema):
    """One change."""

    id: int
    at: datetime
    actor: str = Field(description="a person, `token:NAME`, `cli:NAME` or `system`")
    action: str
    subject: str = Field(description="the id of what was changed")
    before: Any
    after: Any
    reason: str | None
    request_id: str | None


class AuditPage(Page[AuditEntry]):
    """Changes, newest first."""


@dataclass(frozen=True)
class AuditFilter:
    """The conditions on a list of changes; an `action` that ends in a dot is a prefix."""

    subject: str | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_indexed(self) -> bool:
        """Whether an index gives the entries in order, without a look at any other."""
        return self in (AuditFilter(), AuditFilter(subject=self.subject))

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return the filter as SQL."""
        chosen: list[sa.ColumnElement[bool]] = []
        if self.subject is not None:
            chosen.append(_a.subject == self.subject)
        if self.actor is not None:
            chosen.append(_a.actor == self.actor)
        if self.action is not None:
            whole = not self.action.endswith(".")
            named = _a.action == self.action
            chosen.append(named if whole else _a.action.startswith(self.action, autoescape=True))
        if self.since is not None:
            chosen.append(_a.at >= self.since)
        if self.until is not None:
            chosen.append(_a.at < self.until)
        return chosen


_ROWS = sa.select(*(_a[name] for name in AuditEntry.model_fields))
NEWEST = AuditFilter()
RECENT = 1000


def list_audit(
    connection: sa.Connection,
    chosen: AuditFilter = NEWEST,
    *,
    before: int | None = None,
    size: int = PAGE_ROWS,
) -> AuditPage:
    """Return a page of changes, newest first."""
    query = _ROWS.where(*chosen.conditions()).order_by(_a.id.desc()).limit(size + 1)
    if chosen.is_indexed:
        return _page(connection, query if before is None else query.where(_a.id < before), size)
    # No index serves it: a bounded part at a time, or a rare match would cost a scan of the audit.
    id_range = find_id_range(
        connection, _a.id, _a.at, since=chosen.since, until=chosen.until, before=before
    )
    page = _page(connection, query.where(id_range.contains(_a.id)), size)
    if page.next is None and id_range.goes_on:
        return AuditPage(items=page.items, next=str(id_range.start))
    return page


def changes_of_request(connection: sa.Connection, request_id: str, actor: str) -> list[AuditEntry]:
    """Return what somebody changed by one request, if it is among the latest RECENT changes."""
    # No index holds requests; and an older change is too old to be taken back.
    oldest = sa.select(sa.func.max(_a.id) - RECENT).scalar_subquery()
    query = _ROWS.where(_a.id > oldest, _a.request_id == request_id, _a.actor == actor)
    return [AuditEntry(**row._mapping) for row in connection.execute(query.order_by(_a.id))]


def _page(connection: sa.Connection, query: sa.Select[Any], size: int) -> AuditPage:
    entries = [AuditEntry(**row._mapping) for row in connection.execute(query)]
    return paged(AuditPage, entries, size)
