"""A claimed run, as the worker, its child process and the job itself know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
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
    timeout_seconds: float | None = None
    """Its schedule's; None for its job's."""
    firing_deadline: datetime | None = None
    """When its whole firing has to have ended."""

    @property
    def claim(self) -> Claim:
        """Return the run's id and the token."""
        return self.run_id, self.fencing_token

    @property
    def ends_with_firing(self) -> bool:
        """Return whether it is the firing's deadline that ends the attempt."""
        return self.firing_deadline is not None and self.deadline >= self.firing_deadline

    def bounded(self, now: datetime) -> Self:
        """Return the run, claimed at `now`, with the deadline that its schedule gives it."""
        deadline = self.deadline
        if self.timeout_seconds is not None:
            deadline = now + timedelta(seconds=self.timeout_seconds)
        if self.firing_deadline is not None:
            deadline = min(deadline, self.firing_deadline)
        return self if deadline == self.deadline else replace(self, deadline=deadline)

    def seconds(self, job_timeout: float, now: datetime) -> float:
        """Return how long the attempt that begins at `now` may take."""
        most = job_timeout if self.timeout_seconds is None else self.timeout_seconds
        if self.firing_deadline is None:
            return most
        return max(0.0, min(most, (self.firing_deadline - now).total_seconds()))

    def to_json(self) -> list[Any]:
        """Return plain JSON values in the order of the fields, as they travel to a child."""
        # Not by `asdict`, which copies the parameters: this is done for each run of milliseconds.
        values = list(vars(self).values())
        for number in _INSTANTS:
            values[number] = values[number] and values[number].isoformat()
        return values

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Self:
        """Return the run that `to_json` was called on."""
        values = list(values)
        for number in _INSTANTS:
            values[number] = values[number] and datetime.fromisoformat(values[number])
        return cls(*values)


_NAMES = [field.name for field in fields(ClaimedRun)]
_INSTANTS = tuple(map(_NAMES.index, ("scheduled_for", "deadline", "firing_deadline")))
