"""The audit: who changed what."""

from datetime import datetime
from typing import Any

from pydantic import Field

from tick.ops.queries import audit
from webapp.api.models import Answer, Id, Listing, Name, Query, continued
from webapp.api.operations import Resource
from webapp.services import reading

resource = Resource("audit", "Who changed what; nothing here can be changed.")


class AuditEntry(Answer):
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


class AuditPage(Listing[AuditEntry]):
    """Changes, newest first."""


class AuditQuery(Query):
    """Which changes."""

    subject: Name | None = None
    actor: Name | None = None
    before: Id | None = Field(None, description="only those with a lower id: use `next`")


@resource.get("/audit")
def list_audit(query: AuditQuery) -> AuditPage:
    """List changes, newest first."""
    with reading() as connection:
        page = audit.list_audit(
            connection, subject=query.subject, actor=query.actor, before=query.before
        )
    return AuditPage.model_validate({"items": page.rows, "next": continued(before=page.older)})
