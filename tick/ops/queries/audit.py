"""The audit: its entries, and how they are found and listed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.ops.queries.id_ranges import find_id_range
from tick.ops.queries.paging import PAGE_ROWS, paged
from tick.ops.schemas import Page, Schema
from tick.store.tables import OF_MANY_INDEXED, audit_entry

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
            chosen.append(is_about([self.subject]))
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


def is_about(subjects: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether an entry is about one of these, alone or among many schedules."""
    names = list(subjects)
    # The second part as the partial index has it. Both databases write members alike.
    one_of_many = (
        sa.cast(_a.after, sa.Text).contains(f'"{name}": {{', autoescape=True) for name in names
    )
    return sa.or_(_a.subject.in_(names), sa.and_(sa.text(OF_MANY_INDEXED), sa.or_(*one_of_many)))


_ROWS = sa.select(*(_a[name] for name in AuditEntry.model_fields))
NEWEST = AuditFilter()


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


def _page(connection: sa.Connection, query: sa.Select[Any], size: int) -> AuditPage:
    entries = [AuditEntry(**row._mapping) for row in connection.execute(query)]
    return paged(AuditPage, entries, size)
