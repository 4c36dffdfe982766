"""A selection of jobs → the target that a version stores and a firing enqueues."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tick.define.registry import Registry
from tick.policy.target import Target, TargetJob


def build_target(
    registry: Registry,
    wanted: Mapping[str, Any],
    shares: Mapping[str, Mapping[str, Any]] | None = None,
) -> Target:
    """The jobs of a selection such as `Schedule.target()` gives, in order. Raises NotFound.

    They all get the selection's parameters, or each its own out of `shares`.
    """
    selection, params = registry.select(wanted), wanted.get("params") or {}
    of_job = defaultdict(lambda: params) if shares is None else shares
    return Target(
        jobs=tuple(
            TargetJob(
                name=job.name,
                group=job.group,
                queue=job.queue,
                priority=job.priority,
                max_attempts=job.max_attempts,
                idempotent=job.idempotent,
                unique_key=job.unique_key(of_job[job.name]),
                params=of_job[job.name],
            )
            for job in map(registry.job, selection.jobs)
        ),
        edges=selection.edges,
        ignored=selection.ignored,
    )
