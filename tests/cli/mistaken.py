"""Definitions with two mistakes: a dependency that nobody defines, and an hour that never comes."""

from tick import Schedule, job


@job(group="reports", depends_on=("nowhere",))
def lonely() -> None:
    """Wait for nobody."""


schedules = [Schedule(id="never", name="Never", cron="0 25 * * *", mode="ALL_JOBS")]
