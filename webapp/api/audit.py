"""The audit: who changed what."""

from pydantic import Field

from tick.ops.queries import audit
from tick.ops.schemas.system import AuditEntry
from webapp.api.models import Id, Instant, Listing, Name, Query, continued
from webapp.api.operations import Resource
from webapp.services import reading

resource = Resource("audit", "Who changed what; nothing here can be changed.")


class AuditPage(Listing[AuditEntry]):
    """Changes, newest first."""


class AuditQuery(Query):
    """Which changes."""

    subject: Name | None = None
    actor: Name | None = None
    action: Name | None = Field(None, description="`schedule.enable`, or `schedule.` for all such")
    since: Instant | None = None
    until: Instant | None = None
    before: Id | None = Field(None, description="only those with a lower id: use `next`")


@resource.get("/audit")
def list_audit(query: AuditQuery) -> AuditPage:
    """List changes, newest first."""
    with reading() as connection:
        chosen = audit.AuditFilter(**query.model_dump(exclude={"before"}))
        page = audit.list_audit(connection, chosen, before=query.before)
    return AuditPage.model_validate({"items": page.rows, "next": continued(before=page.older)})
