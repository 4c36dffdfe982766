"""The target of a firing: its jobs with the policy that their runs carry. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from tick.policy.graph import Edge


@dataclass(frozen=True)
class TargetJob:
    """A job of a target, with the policy that its runs carry."""

    name: str
    group: str
    queue: str = "default"
    priority: int = 0
    max_attempts: int = 1
    idempotent: bool = False
    unique_key: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """Jobs in dependency order, the edges between them, and the edges that lead outside.

    `overrides` is what the schedule says in place of its jobs: priority, retries, timeout_seconds.
    """

    jobs: tuple[TargetJob, ...]
    edges: tuple[Edge, ...] = ()
    ignored: tuple[Edge, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def timeout_seconds(self) -> float | None:
        """The timeout of its runs; None for that of each job."""
        return self.overrides.get("timeout_seconds")

    @property
    def format(self) -> int:
        """The oldest format of rules whose releases do all that it says."""
        # Priority and retries stand in each job as well, where older releases read them.
        return 1 if self.timeout_seconds is None else 3

    # It travels as JSON inside a schedule's version. The tick enqueues from there and needs no
    # definitions of its own: a tick of an older release fires what the newest sync stored.
    def to_json(self) -> str:
        """Return canonical JSON: equal targets give equal text."""
        values = asdict(self)
        # Without it the text is as before: a new option makes no new versions.
        if not self.overrides:
            del values["overrides"]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Target":
        """Return the target that `to_json` wrote."""
        return _parse(text)


# The same few texts are read at every tick. A team has few, but they may be long.
@lru_cache(maxsize=256)
def _parse(text: str) -> Target:
    values = json.loads(text)
    return Target(
        jobs=tuple(TargetJob(**job) for job in values["jobs"]),
        edges=tuple(Edge(**edge) for edge in values["edges"]),
        ignored=tuple(Edge(**edge) for edge in values["ignored"]),
        overrides=values.get("overrides", {}),
    )
