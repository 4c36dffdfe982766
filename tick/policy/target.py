"""What a firing runs: the jobs of a selection with the policy that their runs carry. Pure.

A target travels as JSON inside a schedule's version. The tick enqueues from there and needs no
definitions of its own, so a tick of an older release fires what the newest sync stored.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tick.policy.graph import Edge


@dataclass(frozen=True)
class TargetJob:
    """One job of a target, in the order of its dependencies."""

    name: str
    group: str
    queue: str = "default"
    priority: int = 0
    max_attempts: int = 1
    idempotent: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """Jobs in dependency order, the edges between them, and the edges that lead outside."""

    jobs: tuple[TargetJob, ...]
    edges: tuple[Edge, ...] = ()
    ignored: tuple[Edge, ...] = ()

    def to_json(self) -> str:
        """Canonical JSON: equal targets give equal text."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Target":
        """The target that `to_json` wrote."""
        values = json.loads(text)
        return cls(
            jobs=tuple(TargetJob(**job) for job in values["jobs"]),
            edges=tuple(Edge(**edge) for edge in values["edges"]),
            ignored=tuple(Edge(**edge) for edge in values["ignored"]),
        )
