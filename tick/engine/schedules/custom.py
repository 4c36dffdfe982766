"""Schedules that people make by hand: made, edited, deleted and brought back.

They name jobs that exist in code, and share everything else with those in code: versions, ledger,
audit. What is written of one is kept in its version, and read again at each sync.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tick.define.mistakes import MAX_ID
from tick.define.registry import Registry
from tick.define.schedules import Schedule
from tick.define.written import OPTIONS, differences_to_plain
from tick.engine.schedules import lifecycle
from tick.engine.schedules.diff import (
    custom_schedule,
    find_in_custom,
    here,
    version_digest,
    version_texts,
)
from tick.engine.schedules.known_calendars import named_in, with_known_calendars
from tick.engine.schedules.writer import ScheduleWriter
from tick.errors import InvalidInput, NotFound, Refused
from tick.states import ScheduleSource, ScheduleState
from tick.store.tables import job_schedule, schedule_version

_s, _v = job_schedule.c, schedule_version.c
_CUSTOM = ScheduleSource.CUSTOM


@dataclass(frozen=True)
class CustomSchedule:
    """A schedule made by hand, locked, with what was written of it."""

    row: sa.Row[Any]
    written: Mapping[str, Any]
    digest: str


def find_custom(connection: sa.Connection, schedule_id: str) -> CustomSchedule:
    """The schedule, locked on PostgreSQL. Raises NotFound, Refused for one that lives in code."""
    row = lifecycle.find_schedule(connection, schedule_id).row
    if row.source != _CUSTOM:
        raise lives_in_code(schedule_id)
    version = sa.select(_v.definition, _v.digest).where(_v.id == row.version_id)
    definition, digest = connection.execute(version).one()
    return CustomSchedule(row, definition["written"], digest)


def lives_in_code(schedule_id: str) -> Refused:
    """The refusal to edit a schedule here that is edited in code; it says where."""
    return Refused(
        f"{schedule_id} lives in code, so that each change of it is reviewed and deployed with "
        f"the jobs that it runs. Edit `Schedule(id={schedule_id!r}, …)` in the definitions "
        "package, deploy, and `tick sync`; or make a copy of it that is yours to edit."
    )


def make(writer: ScheduleWriter, schedule_id: str, written: Mapping[str, Any]) -> Schedule:
    """Add a schedule, switched off. Raises InvalidInput, Refused when the id is taken."""
    _refuse_taken(writer.connection, schedule_id)
    schedule = _read(writer, schedule_id, written)
    writer.add(schedule, source=_CUSTOM)
    return schedule


def edit(writer: ScheduleWriter, known: CustomSchedule, written: Mapping[str, Any]) -> bool:
    """Write what changed: a new version if it behaves otherwise. False if nothing did.

    Raises InvalidInput, Refused for one that was deleted.
    """
    if known.row.state == ScheduleState.REMOVED:
        raise Refused(f"{known.row.id} was deleted; restore it, then edit it.")
    if dict(written) == dict(known.written):
        return False
    schedule = _read(writer, known.row.id, written, known.row.former_ids)
    writer.change(schedule, source=_CUSTOM)
    writer.update(schedule.id, **schedule.words(), environments=differences_to_plain(schedule))
    before, after = {"written": dict(known.written)}, {"written": dict(written)}
    writer.note("schedule.change", schedule.id, before=before, after=after)
    return True


def delete(writer: ScheduleWriter, known: CustomSchedule) -> None:
    """End it at once; its history stays, and it can be restored. Raises Refused if it was."""
    if known.row.state == ScheduleState.REMOVED:
        raise Refused(f"{known.row.id} was deleted already.")
    settled = writer.settle(known.row.id).row
    by, why = writer.author.name, writer.author.did("deleted", writer.act.reason)
    off = {"enabled": False, "enabled_at": writer.now, "enabled_by": by}
    writer.stop(known.row.id, ScheduleState.REMOVED, why, by=by, **off)
    writer.note(
        "schedule.delete",
        known.row.id,
        before={"enabled": bool(settled.enabled), "written": dict(known.written)},
    )


def restore(writer: ScheduleWriter, known: CustomSchedule) -> bool:
    """Bring a deleted one back, switched off; whether its jobs have changed since.

    Only then it gets a new version. Raises Refused, InvalidInput if its jobs are gone.
    """
    if known.row.state != ScheduleState.REMOVED:
        raise Refused(f"{known.row.id} is there: it was not deleted.")
    schedule = _read(writer, known.row.id, known.written, known.row.former_ids)
    locked = lifecycle.find_schedule(writer.connection, known.row.id)
    decided_to = lifecycle.account_for(writer.connection, locked, writer.now, writer.now)
    changed = version_digest(version_texts(schedule, writer.registry)) != known.digest
    if changed:
        writer.change(schedule, source=_CUSTOM)
    writer.update(
        known.row.id,
        state=ScheduleState.ACTIVE,
        state_reason=None,
        state_by=writer.author.name,
        state_at=writer.now,
        decided_to=decided_to,
        next_run_at=None,
    )
    writer.note("schedule.restore", known.row.id)
    return changed


def free_id(connection: sa.Connection, wanted: str) -> str:
    """The id, or with the first number behind it that no schedule has: `nightly-2`."""
    taken = set(
        connection.execute(
            sa.select(_s.id).where(_s.id.startswith(wanted[: MAX_ID - 10], autoescape=True))
        ).scalars()
    )
    if wanted not in taken:
        return wanted
    endings = (f"-{number}" for number in range(2, len(taken) + 3))
    numbered = (f"{wanted[: MAX_ID - len(ending)]}{ending}" for ending in endings)
    return next(each for each in numbered if each not in taken)


def judge(
    schedule_id: str,
    written: Mapping[str, Any],
    registry: Registry,
    former_ids: Sequence[str] | None = None,
) -> tuple[Schedule | None, list[tuple[str, str]]]:
    """The schedule as written, if it is one at all, and its mistakes with the option of each."""
    try:
        schedule = custom_schedule(schedule_id, written, registry, former_ids)
    except (TypeError, ValueError) as error:
        return None, [(_option_in(str(error)), str(error))]
    wrong = find_in_custom(schedule, registry)
    if not wrong:
        schedule = here(schedule, registry)
    return schedule, [(_option_in(text), text) for text in wrong]


def _read(
    writer: ScheduleWriter,
    schedule_id: str,
    written: Mapping[str, Any],
    former_ids: list[str] | None = None,
) -> Schedule:
    """The schedule as written. Raises InvalidInput if it does not hold with the jobs there are."""
    known = with_known_calendars(writer.connection, writer.registry, named_in(written))
    schedule, wrong = judge(schedule_id, written, known, former_ids)
    if schedule is None or wrong:
        raise InvalidInput([(f"body.{option}", text) for option, text in wrong])
    return schedule


_BEGINNINGS = {
    "unknown time zone": "timezone",
    "dst gap": "dst_gap",
    "dst fold": "dst_fold",
    "unknown engine": "dialect",
    "no schedule fires as": "dialect",
    "group ": "job_group",
    "names no job": "jobs",
    "runs all jobs": "mode",
    "says what to run": "mode",
    "use lower-case letters": "id",
    "has no instant between": "ends_at",
    "environments[": "environments",
    "in environment ": "environments",
}
"""The options of mistakes that don't begin with the option's name."""


def _option_in(text: str) -> str:
    """The option that a mistake is about; `cron` for what the calculator says of its fields."""
    first = text.split(" ", 1)[0].rstrip(":")
    if first in OPTIONS:
        return first
    found = (option for begins, option in _BEGINNINGS.items() if text.startswith(begins))
    return next(found, "cron")


def _refuse_taken(connection: sa.Connection, schedule_id: str) -> None:
    try:
        row = lifecycle.find_schedule(connection, schedule_id).row
    except NotFound:
        return
    if row.state == ScheduleState.REMOVED:
        raise Refused(f"{schedule_id} was deleted; restore it, or choose another id.")
    where = "in code" if row.source == ScheduleSource.CODE else "by hand"
    raise Refused(f"A schedule {schedule_id} is there, defined {where}; choose another id.")
