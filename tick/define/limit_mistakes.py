"""The mistakes in a schedule's limits: how many at one time, how long, how often again. Pure."""

from collections.abc import Iterator

from tick.define.job_mistakes import MOST_AT_ONCE, MOST_RETRIES, MOST_URGENT
from tick.define.schedules import Schedule
from tick.define.wrong_values import in_length, in_number

_BOUNDS = {
    "max_concurrent": (1, MOST_AT_ONCE),
    "retries": (0, MOST_RETRIES),
    "priority": (-MOST_URGENT, MOST_URGENT),
    "pause_after": (1, MOST_AT_ONCE),
}


def in_limits(schedule: Schedule) -> Iterator[str]:
    """Yield values that no limit can have."""
    for name, (least, most) in _BOUNDS.items():
        if (value := getattr(schedule, name)) is not None:
            yield from in_number(name, value, least, most)
    if schedule.deadline is not None:
        yield from in_length("deadline", schedule.deadline, 1)
    if schedule.timeout is not None:
        yield from in_length("timeout", schedule.timeout, 0)
        if schedule.timeout == 0:
            yield "timeout must be more than 0 seconds."


def beside_each_other(schedule: Schedule) -> Iterator[str]:
    """Yield limits that have no effect within another one; their values must be right."""
    timeout, deadline = schedule.timeout, schedule.deadline
    if timeout is not None and deadline is not None and timeout >= deadline:
        yield (
            f"timeout {timeout:g} has no effect within deadline {deadline:g}, which ends the whole "
            "firing before; give less, or leave it out."
        )
    failures, most = schedule.pause_after, schedule.max_runs
    if failures is not None and most is not None and failures >= most:
        yield (
            f"pause_after {failures} has no effect beside max_runs {most}, after which it fires no "
            "more anyway; give less, or leave it out."
        )
