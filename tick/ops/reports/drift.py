"""Instants of the next twelve months that move with what is new here: zone data, code, days off.

Told before a tick or a sync of this release goes by it: afterwards it is done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from tick.cron.calculator_version import calculator
from tick.cron.zone_age import Age, judge
from tick.cron.zone_data import Zone, current, find_zone
from tick.engine.ledger.zones import all_known, read_rule, read_zone_data_status
from tick.engine.schedules.calculator import IN_USE, is_outdated
from tick.engine.schedules.diff import Change
from tick.engine.schedules.lifecycle import WITH_RULE
from tick.engine.schedules.zone_changes import following
from tick.ops.schemas import Schema
from tick.policy.drift import AHEAD, Forecast, Move, forecast, moves, unpack
from tick.policy.hand_over import hand_over
from tick.policy.rule import Rule
from tick.states import ScheduleState
from tick.store.sql import AnyRow
from tick.store.tables import instant_forecast, job_schedule

MOST_SHOWN = 400
_s, _f = job_schedule.c, instant_forecast.c
_UNKNOWN = "an unknown release"


class MovedInstant(Schema):
    """An instant before and after; null on one side where it comes or goes."""

    before: datetime | None
    after: datetime | None


class Drift(Schema):
    """What moves of one schedule, though its definition says the same."""

    schedule_id: str
    why: str
    until: datetime = Field(description="how far the instants were compared")
    count: int = Field(description="how many instants move until then")
    moved: tuple[MovedInstant, ...] = Field(description=f"the first {MOST_SHOWN} of them")


@dataclass(frozen=True)
class _News:
    """What this process has that schedules do not go by yet."""

    changes: Mapping[str, Change]
    newer_zones: Mapping[str, Zone]
    former_calculator: str | None
    forecasts: Mapping[int, Forecast]

    @property
    def is_none(self) -> bool:
        return not (self.changes or self.newer_zones or self.former_calculator)


def find_drift(connection: sa.Connection, changes: Sequence[Change], now: datetime) -> list[Drift]:
    """Return what moves of the schedules that are on; `changes` are those of the definitions."""
    news = _news(connection, changes)
    if news.is_none:
        return []
    compared = (_compare(row, news, now) for row in connection.execute(_ON))
    return [drift for drift in compared if drift is not None]


def _news(connection: sa.Connection, changes: Sequence[Change]) -> _News:
    status = read_zone_data_status(connection)
    others = {known.zone: known for known in (*status.outdated, *status.different)}
    newer = {
        known.zone: mine
        for known in others.values()
        if (mine := current().find(known.zone)) is not None
        and judge(mine, known, all_known(connection, known.zone)) is Age.NEWER
    }
    in_use = connection.execute(sa.select(IN_USE)).scalar()
    former = (in_use or {}).get("version", _UNKNOWN) if is_outdated(in_use) else None
    changed = {change.known.id: change for change in changes if change.known is not None}
    return _News(changed, newer, former, _stored(connection, former) if former else {})


def _stored(connection: sa.Connection, former: str) -> dict[int, Forecast]:
    rows = connection.execute(sa.select(instant_forecast).where(_f.calculator == former))
    return {row.version_id: Forecast(row.since, row.until, unpack(row.instants)) for row in rows}


def _compare(row: AnyRow, news: _News, now: datetime) -> Drift | None:
    try:
        old = read_rule(row)
        new, why = old, []
        change = news.changes.get(row.id)
        if change is not None and change.schedule is not None:
            new = replace(change.schedule.rule(), zone=old.zone)
            written = old.as_written
            if replace(new, calendar=old.calendar) != written:
                return None  # another definition: the plan tells it by itself
            why += ["the days off of its calendar"] if new != written else []
            new = hand_over(old, new, now).rule if new != written else old
        zone = news.newer_zones.get(row.zone_name)
        if zone is not None and zone.digest != row.zone_digest:
            new = replace(new, zone=zone)
            why.append(_from_to("time zone data", row.zone_version, zone.version))
        if news.former_calculator:
            why.append(_from_to("calculator", news.former_calculator, calculator()))
        found, until = _moves(row, old, new, news, now) if why else ([], now)
    except (ValueError, TypeError):
        return None  # a rule that can't be read: the tick says so
    if not found:
        return None
    shown = tuple(MovedInstant(**vars(move)) for move in found[:MOST_SHOWN])
    return Drift(
        schedule_id=row.id, why=" and ".join(why), until=until, count=len(found), moved=shown
    )


def _moves(
    row: AnyRow, old: Rule, new: Rule, news: _News, now: datetime
) -> tuple[list[Move], datetime]:
    until = now + AHEAD
    after = forecast(new, now, until)
    before = news.forecasts.get(row.version_id) if news.former_calculator else None
    if before is None and news.former_calculator and old == new:
        # Nobody wrote down what the former one would fire, but for the next instant.
        found = following(row, old, row.decided_to)
        moved = [Move(row.next_run_at, found)] if found != row.next_run_at else []
        return moved, max(filter(None, (found, row.next_run_at)), default=now)
    before = forecast(old, now, until) if before is None else before.between(now, until)
    return moves(before, after, find_zone(new.timezone)), min(before.until, after.until)


def _from_to(what: str, old: str | None, new: str | None) -> str:
    return f"{what} {old or _UNKNOWN} → {new or _UNKNOWN}"


def count_moved(drift: Sequence[Drift]) -> Iterator[tuple[str, int, int]]:
    """Yield each reason with how many instants of how many schedules move by it."""
    for why in dict.fromkeys(item.why for item in drift):
        mine = [item.count for item in drift if item.why == why]
        yield why, sum(mine), len(mine)


_ON = WITH_RULE.where(_s.enabled, _s.state.not_in((ScheduleState.REMOVED, ScheduleState.ERROR)))
