"""Acts on many schedules at once, chosen by id or label, and takes such an act back.

It is one transaction and one entry in the audit, which names each schedule that it changed. One
that is refused stops no other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.engine.ledger.audit import OF_MANY
from tick.engine.schedules.labels import has_label
from tick.errors import NotFound, Refused
from tick.ops.act import Act, Change, action
from tick.ops.actions import alerts, run_now, switches
from tick.ops.actions.cancellation import cancel_all, settle
from tick.ops.schemas import Schema
from tick.states import UNFINISHED_RUNS, ScheduleState
from tick.store.database import Database
from tick.store.tables import audit_entry, job_run, job_schedule
from tick.text import counted

MOST_SCHEDULES = 500
_a, _r, _s = audit_entry.c, job_run.c, job_schedule.c


@dataclass(frozen=True)
class Chosen:
    """The schedules with these ids, or all that have the label."""

    ids: Sequence[str] = ()
    label: str | None = None


class SchedulesDone(Schema):
    """What became of many schedules, by id."""

    done: tuple[str, ...] = Field(description="those that changed")
    unchanged: tuple[str, ...] = Field(description="those that were so already")
    refused: dict[str, str] = Field(description="why not the others")
    entry_id: int | None = Field(description="of the audit, by which it can be taken back")


@dataclass(frozen=True)
class _Member(Act):
    """The act on one of them: what it records goes into the entry of all."""

    recorded: list[tuple[Any, Any]] = field(default_factory=list)

    def record(self, *_what: Any, before: Any = None, after: Any = None, **_more: Any) -> None:
        """Keep what it changed."""
        self.recorded.append((before, after))


_ActOnOne = Callable[[Change, str], object]


@action("schedules.enable", subject="schedules")
def enable_schedules(
    change: Change, chosen: Chosen, *, catch_up_latest: bool = False
) -> SchedulesDone:
    """Switch schedules on, each as `enable_schedule` does. Raises NotFound, Refused."""
    return _each(
        change, chosen, lambda one, id: switches.switch_on(one, id, catch_up_latest=catch_up_latest)
    )


@action("schedules.disable", subject="schedules")
def disable_schedules(change: Change, chosen: Chosen) -> SchedulesDone:
    """Switch schedules off; what runs goes on. Raises NotFound, Refused."""
    return _each(change, chosen, switches.switch_off)


@action("schedules.pause", subject="schedules")
def pause_schedules(
    change: Change, chosen: Chosen, *, until: datetime | None = None
) -> SchedulesDone:
    """Keep schedules from firing, each as `pause_schedule` does. Raises NotFound, Refused."""
    return _each(change, chosen, lambda one, id: switches.pause(one, id, until=until))


@action("schedules.resume", subject="schedules")
def resume_schedules(
    change: Change, chosen: Chosen, *, catch_up_latest: bool = False
) -> SchedulesDone:
    """End pauses and errors, each as `resume_schedule` does. Raises NotFound, Refused."""
    return _each(
        change, chosen, lambda one, id: switches.resume(one, id, catch_up_latest=catch_up_latest)
    )


@action("schedules.run", subject="schedules")
def run_schedules(
    change: Change, chosen: Chosen, *, override_overlap: bool = False
) -> SchedulesDone:
    """Run the jobs of schedules now, each as `run_schedule` does. Raises NotFound, Refused."""
    return _each(
        change, chosen, lambda one, id: run_now.run(one, id, override_overlap=override_overlap)
    )


@action("schedules.mute", subject="schedules")
def mute_schedules(
    change: Change, chosen: Chosen, *, until: datetime, rule: str | None = None
) -> SchedulesDone:
    """Send no alert of schedules, each as `mute` does. Raises NotFound, Refused."""
    return _each(
        change,
        chosen,
        lambda one, id: alerts.mute_one(one, schedule_id=id, rule=rule, until=until),
    )


def undo(database: Database, act: Act, entry_id: int) -> SchedulesDone:
    """Take back what one act on many schedules changed, where that still stands.

    What was started and runs is asked to stop. Raises NotFound; Refused for what can't be undone.
    """
    cancelled: set[int] = set()
    found = _undo(database, act, entry_id, cancelled)
    if cancelled:
        settle(database, act, cancelled)
    return found


@action("schedules.undo")
def _undo(change: Change, entry_id: int, cancelled: set[int]) -> SchedulesDone:
    entry = change.connection.execute(sa.select(audit_entry).where(_a.id == entry_id)).first()
    if entry is None:
        raise NotFound(f"There is no entry {entry_id} in the audit; `tick audit` lists the latest.")
    back = _BACK.get(entry.action)
    if back is None:
        raise Refused(f"Entry {entry_id} is {entry.action}: it is none that `undo` takes back.")
    was, became = entry.before or {}, entry.after

    def take_back(one: Change, schedule_id: str) -> None:
        back(one, schedule_id, was.get(schedule_id) or {}, became[schedule_id], cancelled)

    return _each(change, Chosen(tuple(became)), take_back, undone=entry_id)


def _each(
    change: Change, chosen: Chosen, act_on: _ActOnOne, undone: int | None = None
) -> SchedulesDone:
    """Act on each, and write the entry."""
    done: dict[str, tuple[Any, Any]] = {}
    unchanged: list[str] = []
    refused: dict[str, str] = {}
    given = change.act
    for schedule_id in _ids(change.connection, chosen):
        member = _Member(given.now, given.author, given.reason, key=given.key)
        one = Change(change.connection, member, change.action, schedule_id)
        try:
            with change.connection.begin_nested():
                act_on(one, schedule_id)
        except (NotFound, Refused) as refusal:
            refused[schedule_id] = str(refusal)
            continue
        if member.recorded:
            done[schedule_id] = member.recorded[-1]
        else:
            unchanged.append(schedule_id)
    entry_id = _record(change, chosen, done, undone) if done else None
    return SchedulesDone(
        done=tuple(done), unchanged=tuple(unchanged), refused=refused, entry_id=entry_id
    )


def _record(
    change: Change,
    chosen: Chosen,
    done: Mapping[str, tuple[Any, Any]],
    undone: int | None,
) -> int | None:
    before = {id: was for id, (was, _) in done.items() if was is not None}
    which = f"label {chosen.label}" if chosen.label else counted(len(done), "schedule")
    return change.record(
        subject=which if undone is None else f"entry {undone}",
        before=before or None,
        after={id: became or {} for id, (_, became) in done.items()},
    )


def _ids(connection: sa.Connection, chosen: Chosen) -> Sequence[str]:
    """Return the ids by which all are locked in one order. Raises NotFound, Refused."""
    ids: Sequence[str] = sorted(set(chosen.ids))
    if chosen.label is not None:
        labelled = sa.select(_s.id).where(has_label(chosen.label), _s.state != _REMOVED)
        found = connection.execute(labelled.order_by(_s.id).limit(MOST_SCHEDULES + 1))
        if not (ids := found.scalars().all()):
            raise NotFound(
                f"No schedule has the label {chosen.label!r}; `tick schedules` shows their labels."
            )
    if not 0 < len(ids) <= MOST_SCHEDULES:
        raise Refused(f"Choose 1 to {MOST_SCHEDULES} schedules at a time; these are {len(ids)}.")
    return ids


_REMOVED = ScheduleState.REMOVED
_State = Mapping[str, Any]


def _disable(one: Change, schedule_id: str, _was: _State, _became: _State, _: set[int]) -> None:
    switches.switch_off(one, schedule_id)


def _enable(one: Change, schedule_id: str, _was: _State, _became: _State, _: set[int]) -> None:
    switches.switch_on(one, schedule_id)


def _resume(one: Change, schedule_id: str, was: _State, _became: _State, _: set[int]) -> None:
    if was.get("state") == ScheduleState.PAUSED:  # its earlier pause holds again
        _pause_as_it_was(one, schedule_id, was)
    else:
        switches.resume(one, schedule_id)


def _pause(one: Change, schedule_id: str, was: _State, _became: _State, _: set[int]) -> None:
    if was.get("state") != ScheduleState.PAUSED:
        raise Refused(f"{schedule_id} was {was.get('state')}, which nobody can bring back.")
    _pause_as_it_was(one, schedule_id, was)


def _pause_as_it_was(one: Change, schedule_id: str, was: _State) -> None:
    until = was.get("until")
    end = until and datetime.fromisoformat(until)
    switches.pause(one, schedule_id, until=end, reason=was.get("reason"))


def _cancel(one: Change, _id: str, _was: _State, became: _State, cancelled: set[int]) -> None:
    its = sa.select(_r.id).where(_r.occurrence_id == became["occurrence"])
    unfinished = its.where(_r.status.in_(UNFINISHED_RUNS)).order_by(_r.id)
    if ids := one.connection.execute(unfinished).scalars().all():
        cancelled.update(cancel_all(one.connection, one.act, ids))
        one.record(after={"occurrence": became["occurrence"], "cancelled": len(ids)})


def _unmute(one: Change, _id: str, _was: _State, became: _State, _: set[int]) -> None:
    alerts.unmute_one(one, became["mute"])


_BACK = dict(zip(OF_MANY, (_disable, _enable, _resume, _pause, _cancel, _unmute), strict=True))
