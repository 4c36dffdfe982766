"""Definitions for the worker's benchmark: the fleet's only job, which does nothing."""

from tick import job


@job(group="bench", name="job-00", idempotent=True)
def nothing() -> None:
    """Do nothing."""
