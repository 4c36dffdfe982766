"""A selection of jobs → the target that a version stores and a firing enqueues."""

from collections.abc import Mapping
from typing import Any

from tick.define.params import share_of
from tick.define.registry import Registry
from tick.policy.target import Target, TargetJob


def build_target(
    registry: Registry,
    wanted: Mapping[str, Any],
    shares: Mapping[str, Mapping[str, Any]] | None = None,
) -> Target:
    """The jobs of a selection such as `Schedule.target()` gives, in order. Raises NotFound.

    Each gets those of the selection's parameters that its function takes, or its own out of
    `shares`.
    """
    selection, params = registry.select(wanted), wanted.get("params") or {}
    overrides = wanted.get("overrides") or {}
    jobs = [registry.job(name) for name in selection.jobs]
    if shares is None:
        shares = {job.name: share_of(job.function, params) if params else {} for job in jobs}
    return Target(
        jobs=tuple(
            TargetJob(
                name=job.name,
                group=job.group,
                queue=job.queue,
                priority=overrides.get("priority", job.priority),
                max_attempts=overrides.get("retries", job.retries) + 1,
                idempotent=job.idempotent,
                unique_key=job.unique_key(shares[job.name]),
                params=shares[job.name],
            )
            for job in jobs
        ),
        edges=selection.edges,
        ignored=selection.ignored,
        overrides=overrides,
    )
