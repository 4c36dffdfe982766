"""The audit: who changed what."""

from pydantic import Field

from tick.interface.inputs import Id, Instant, Name, Query, continued_at
from tick.interface.operation import Context, Resource
from tick.ops.queries import audit
from tick.ops.queries.audit import AuditPage

resource = Resource("audit", "Who changed what; nothing here can be changed.")


class AuditQuery(Query):
    """Which changes."""

    subject: Name | None = None
    actor: Name | None = None
    action: Name | None = Field(None, description="`schedule.enable`, or `schedule.` for all such")
    since: Instant | None = None
    until: Instant | None = None
    before: Id | None = Field(None, description="only those with a lower id: use `next`")


@resource.get("/audit")
def list_audit(context: Context, query: AuditQuery) -> AuditPage:
    """List changes, newest first."""
    chosen = audit.AuditFilter(**query.model_dump(exclude={"before"}))
    return continued_at(context.read(audit.list_audit, chosen, before=query.before), "before")
