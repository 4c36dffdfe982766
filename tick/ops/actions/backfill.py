"""Plans a backfill: the instants of the past that did not fire, by the rules of then."""

from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger.versions import RulePeriod, rule_periods, versions_of
from tick.engine.schedules.replay import MOST_AT_ONCE
from tick.errors import Refused
from tick.ops.queries.schedules import no_schedule
from tick.ops.schemas import Schema
from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.rule import Rule
from tick.states import FIRED_OUTCOMES
from tick.store.database import Database
from tick.store.tables import occurrence
from tick.utc import utc

_o = occurrence.c
MOST_LOOKED_AT = 50_000  # more than the minutes of a month


class BackfillPlan(Schema):
    """What a backfill would run, oldest first; `done` instants of that time have run already."""

    wanted: tuple[datetime, ...]
    done: int


def plan_backfill(
    database: Database, schedule_id: str, start: datetime, end: datetime, *, now: datetime
) -> BackfillPlan:
    """Return the instants of [start, end] that did not fire. Raises NotFound, Refused."""
    start, end = utc(start, "the start"), min(utc(end, "the end"), utc(now, "now"))
    with database.read.connect() as connection:
        versions = versions_of(connection, schedule_id)
        if not versions:
            raise no_schedule(schedule_id)
        first, *later = rule_periods(versions)
        # The first rule stands for the time before the schedule was known as well.
        periods = [RulePeriod(first.rule, instants.EPOCH, first.until), *later]
        parts = [_cut(period, start, end) for period in periods]
        # Counted before they are listed: a count costs little, however many there are.
        if sum(instants.count(*part) for part in parts) > MOST_LOOKED_AT:
            raise Refused(
                f"More than {MOST_LOOKED_AT:,} instants of {schedule_id} lie in that time; "
                "narrow it."
            )
        due = [at for part in parts for at in instants.between(*part, MOST_LOOKED_AT)]
        fired = connection.execute(
            sa.select(_o.scheduled_for).where(
                _o.schedule_id == schedule_id,
                _o.outcome.in_(FIRED_OUTCOMES),
                _o.scheduled_for.between(start, end),
            )
        )
        done = set(fired.scalars())
    wanted = tuple(at for at in due if at not in done)
    if len(wanted) > MOST_AT_ONCE:
        raise Refused(
            f"{len(wanted):,} instants of {schedule_id} in that time have not run, and at most "
            f"{MOST_AT_ONCE:,} run at once; narrow it."
        )
    return BackfillPlan(wanted=wanted, done=len(due) - len(wanted))


def _cut(period: RulePeriod, start: datetime, end: datetime) -> tuple[Rule, datetime, datetime]:
    """Return the rule and its part of [start, end], as the instant before and the last."""
    return period.rule, max(period.since, just_before(start)), min(period.until or end, end)
