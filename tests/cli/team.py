"""The definitions that the commands work with: a report, and a job that always fails."""

import logging
from datetime import UTC, datetime

from tick import Schedule, current_run, job


@job(group="reports")
def fetch() -> dict[str, int]:
    """Fetch the figures."""
    logging.getLogger(__name__).info("three figures fetched")
    return {"figures": 3}


@job(group="reports", depends_on=("fetch",))
def report(said: str = "report written") -> None:
    """Write the report."""
    current_run().milestone(said)


@job(group="trouble")
def explode() -> None:
    """Log what would rename a terminal's window and clear it, then fail."""
    logging.getLogger(__name__).info("\x1b[31mred\x1b[0m and title \x1b]0;owned\x07 \x9b2J")
    raise ValueError("the figures are gone")


schedules = [
    Schedule(
        id="monthly-report",
        name="Monthly Report",
        cron="0 0 1 * *",
        mode="GROUP",
        job_group="reports",
    ),
    Schedule(
        id="launch",
        name="Launch",
        at=datetime(2020, 2, 2, 12, tzinfo=UTC),
        mode="SINGLE_JOB",
        job="fetch",
    ),
]
