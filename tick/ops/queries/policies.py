"""What becomes of a schedule's instants, as in effect."""

from dataclasses import dataclass

import sqlalchemy as sa

from tick.engine.ledger.tick_log import learned_tick_seconds
from tick.ops.queries.courses import Course
from tick.ops.queries.descriptions import describe_timing
from tick.policy import instants
from tick.policy.missed import grace_seconds, max_catch_up_age
from tick.states import MissedPolicy, OverlapPolicy


@dataclass(frozen=True)
class PolicyInEffect:
    """The policy of a rule with its defaults filled in; `grace_seconds` may be learned."""

    missed: MissedPolicy
    overlap: OverlapPolicy
    grace_seconds: float
    max_catch_up_age_seconds: float
    max_catch_up_runs: int
    max_runs: int | None
    runs_left: int | None


def read_policy(connection: sa.Connection, course: Course) -> PolicyInEffect | None:
    """The policy of a schedule; None when its rule cannot be read. One statement."""
    if describe_timing(course.row.rule).mistake is not None:
        return None
    rule = course.rule
    latest = instants.latest_until(rule, instants.EPOCH, course.now) or course.now
    return PolicyInEffect(
        missed=rule.missed,
        overlap=rule.overlap,
        grace_seconds=grace_seconds(rule, learned_tick_seconds(connection)),
        max_catch_up_age_seconds=max_catch_up_age(rule, latest).total_seconds(),
        max_catch_up_runs=rule.max_catch_up_runs,
        max_runs=rule.max_runs,
        runs_left=course.left,
    )
