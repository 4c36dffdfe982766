"""A claimed run, as the worker, its child process and the job itself know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

Claim = tuple[int, int]
"""The id of a run and the fencing token of a claim of it. Both guard every write about the run."""


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
        """Return the run's id and the token."""
        return self.run_id, self.fencing_token

    def to_json(self) -> list[Any]:
        """Return plain JSON values in the order of the fields, as they travel to a child."""
        # Not by `asdict`, which copies the parameters: this is done for each run of milliseconds.
        values = list(vars(self).values())
        for number in (_SCHEDULED_FOR, _DEADLINE):
            values[number] = values[number] and values[number].isoformat()
        return values

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Self:
        """Return the run that `to_json` was called on."""
        values = list(values)
        for number in (_SCHEDULED_FOR, _DEADLINE):
            values[number] = values[number] and datetime.fromisoformat(values[number])
        return cls(*values)


_NAMES = [field.name for field in fields(ClaimedRun)]
_SCHEDULED_FOR, _DEADLINE = _NAMES.index("scheduled_for"), _NAMES.index("deadline")
