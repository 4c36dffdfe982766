"""Telling how far a job is, without a word about it in the job's own loop."""

from collections.abc import Collection, Iterator
from typing import TypeVar

from tick import current_run

T = TypeVar("T")
STEPS = 20


def with_progress(items: Collection[T], what: str) -> Iterator[T]:
    """The items one by one, while the run that this job is shows "60 of 600 members"."""
    step = max(1, len(items) // STEPS)
    for done, item in enumerate(items):
        if done % step == 0:
            current_run().progress(done / len(items), f"{done} of {len(items)} {what}")
        yield item
