"""Proof and foresight: whether the ledger is whole, and what the deployed definitions change."""

from datetime import timedelta

from pydantic import Field

from tick.errors import InvalidInput
from tick.interface.inputs import Instant, Query, onward
from tick.interface.operation import Context, Resource
from tick.ops.reports.deploy_plan import Plan, plan_deploy
from tick.ops.reports.verify_parts import ProofPart, prove_part

resource = Resource("proof", "Whether the promises held, and what a sync would change.")
_WEEK = timedelta(days=7)


class VerifyQuery(Query):
    """Which time; the last week if nothing is said."""

    since: Instant | None = Field(None, description="default: a week before `until`")
    until: Instant | None = Field(None, description="default: now")


@resource.get("/verify")
def verify_ledger(context: Context, query: VerifyQuery) -> ProofPart:
    """Prove that no instant fired twice and none is unaccounted for.

    One answer proves at most 8 days of what is known, so that it comes in time: `end` says how far
    it reached, and `next` leads on, until it is null.
    """
    # Not beyond now: what is to come can't be missing yet.
    end = min(query.until or context.now, context.now)
    start = query.since or end - _WEEK
    if start > end:
        raise InvalidInput([("query.since", "lies after `until`, or is yet to come")])
    found, since = prove_part(context.database, start, end)
    next_since = since and since.isoformat()
    return ProofPart(**vars(found), next=onward(since=next_since, until=end.isoformat()))


@resource.get("/plan")
def plan_definitions(context: Context) -> Plan:
    """Compare the definitions that the console has loaded with those that the database holds."""
    return context.read(plan_deploy, context.registry, context.now)
