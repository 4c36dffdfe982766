"""Doing the same to many runs: bounded, with one entry in the audit, and a reason a refusal."""

from pydantic import Field

from tick.interface.inputs import Body, Id, OptionalReason
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import batches
from tick.ops.actions.batches import BatchDone

resource = Resource("batches", "The same, done to many runs.")


class ManyRuns(Body):
    """Which runs."""

    run_ids: tuple[Id, ...] = Field(min_length=1, max_length=batches.MOST_IN_BATCH)
    reason: OptionalReason = None


class RetryMany(ManyRuns):
    """Which runs to put back, and how."""

    override_overlap: bool = Field(False, description="even while other occurrences run")
    only: bool = Field(
        False,
        description="without what was skipped because of them; then their occurrences have failed",
    )


@resource.post("/runs/cancel", Permission.RUN_CANCEL)
def cancel_runs(context: Context, body: ManyRuns) -> BatchDone:
    """Cancel runs: at once those that are queued, by asking their jobs if they run."""
    return batches.cancel_runs(context.database, context.act(reason=body.reason), set(body.run_ids))


@resource.post("/runs/retry", Permission.RUN_RETRY)
def retry_runs(context: Context, body: RetryMany) -> BatchDone:
    """Put runs that ended badly back into the queue, and what was skipped because of them."""
    act, how = context.act(reason=body.reason), body.model_dump(exclude={"run_ids", "reason"})
    return batches.retry_runs(context.database, act, set(body.run_ids), context.registry, **how)
