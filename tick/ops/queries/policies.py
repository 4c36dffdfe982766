"""What becomes of a schedule's instants, as in effect."""

import sqlalchemy as sa
from pydantic import Field

from tick.engine.ledger.tick_log import learned_tick_seconds
from tick.ops.queries.courses import Course
from tick.ops.queries.descriptions import describe_timing
from tick.ops.schemas import Schema
from tick.policy import instants
from tick.policy.missed import grace_seconds, max_catch_up_age
from tick.states import MissedPolicy, OverlapPolicy


class Policy(Schema):
    """What becomes of a schedule's instants, as in effect: defaults are filled in."""

    missed: MissedPolicy
    overlap: OverlapPolicy
    grace_seconds: float = Field(description="set, or learned from how often it ticks")
    max_catch_up_age_seconds: float = Field(description="set, or that of the latest instant")
    max_catch_up_runs: int
    max_runs: int | None
    runs_left: int | None = Field(description="of max_runs")


def read_policy(connection: sa.Connection, course: Course) -> Policy | None:
    """The policy of a schedule; None when its rule cannot be read. One statement."""
    if describe_timing(course.row.rule).mistake is not None:
        return None
    rule = course.rule
    latest = instants.latest_until(rule, instants.EPOCH, course.now) or course.now
    return Policy(
        missed=rule.missed,
        overlap=rule.overlap,
        grace_seconds=grace_seconds(rule, learned_tick_seconds(connection)),
        max_catch_up_age_seconds=max_catch_up_age(rule, latest).total_seconds(),
        max_catch_up_runs=rule.max_catch_up_runs,
        max_runs=rule.max_runs,
        runs_left=course.left,
    )
