"""A run in a worker's hands: what the worker, its child process and the job itself are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

Claim = tuple[int, int]
"""A run and the fencing token of a claim of it: what every write about it is guarded by."""


@dataclass(frozen=True)
class ClaimedRun:
    """One attempt at a run, under the fencing token of its claim."""

    run_id: int
    fencing_token: int
    job_name: str
    occurrence_id: int
    schedule_id: str | None
    scheduled_for: datetime | None
    attempt: int
    max_attempts: int
    params: Mapping[str, Any] = field(hash=False)
    deadline: datetime

    @property
    def claim(self) -> Claim:
        """The run and the token."""
        return self.run_id, self.fencing_token

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as they travel to a child process."""
        return vars(self) | {
            "scheduled_for": self.scheduled_for and self.scheduled_for.isoformat(),
            "deadline": self.deadline.isoformat(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        scheduled_for = values["scheduled_for"]
        instants = {
            "scheduled_for": scheduled_for and datetime.fromisoformat(scheduled_for),
            "deadline": datetime.fromisoformat(values["deadline"]),
        }
        return cls(**(dict(values) | instants))
