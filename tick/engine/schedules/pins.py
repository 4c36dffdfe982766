"""Pins a schedule to an earlier version of its definition, until that is changed.

A pin is a version of its own: it repeats the rule and the jobs of the earlier one, and has the
digest of the definition that it stands before. So a sync finds nothing changed as long as the
definition says the same, also a sync by a release that knows no pins; one that brings another
definition writes it as usual, and the pin has ended. An edit by hand ends it in the same way.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.define.schedules import short_digest
from tick.engine.ledger.versions import PIN
from tick.engine.schedules import lifecycle
from tick.engine.schedules.diff import BY_DEFINITIONS
from tick.engine.schedules.writer import ScheduleWriter
from tick.errors import NotFound, Refused
from tick.policy.rule import Rule, as_written
from tick.policy.target import Target
from tick.policy.zone_moves import zone_of
from tick.states import ScheduleState
from tick.store.sql import AnyRow
from tick.store.tables import schedule_version

_v = schedule_version.c
_CONTENT = (
    *("definition", "digest", "rule", "rule_key", "rule_format"),
    *("limited", "overlap", "mode", "target", "target_key"),
)
_VERSION = sa.select(_v.number, *(_v[name] for name in _CONTENT), PIN)
# These belong to the rule, the rest of a definition to what people have written.
_OF_RULE = ("calendar", "wall_times")


def pin(writer: ScheduleWriter, schedule_id: str, number: int, reason: str) -> None:
    """Let a schedule go by an earlier version from now on. Raises NotFound, Refused."""
    known = lifecycle.find_schedule(writer.connection, schedule_id).row
    _refuse_silent(known)
    present = _version(writer, schedule_id, known.number)
    over = known.number if known.pin is None else known.pin["over"]
    if known.pin is not None and number == over:
        raise Refused(
            f"Version {number} is the one that the pin stands before: `tick unpin {schedule_id}` "
            "goes back to it."
        )
    wanted = _version(writer, schedule_id, number)
    if (as_written(wanted.rule), wanted.target) == (as_written(present.rule), present.target):
        raise Refused(
            f"Version {number} says the same as version {known.number}, which is in force: "
            f"choose another one; `tick versions {schedule_id}` lists them."
        )
    _refuse_gone(writer, wanted)
    told = {"version": number, "over": over, "by": writer.author.name}
    told |= {"since": writer.now.isoformat(), "reason": reason}
    written = {name: of for name, of in present.definition.items() if name not in _OF_RULE}
    of_rule = {name: of for name, of in wanted.definition.items() if name in _OF_RULE}
    content = _content(wanted) | {
        "definition": written | of_rule | {"pin": told},
        "digest": present.digest,
    }
    _put_in_force(writer, schedule_id, content)
    before = {"version": known.number} | _was(known)
    writer.note("schedule.pin", schedule_id, before=before, after={"pinned_to": number})


def unpin(writer: ScheduleWriter, schedule_id: str) -> None:
    """Let a schedule go by its definition again. Raises NotFound, Refused."""
    known = lifecycle.find_schedule(writer.connection, schedule_id).row
    _refuse_silent(known)
    if known.pin is None:
        raise Refused(f"{schedule_id} is not pinned: it goes by its definition as it stands.")
    over = _version(writer, schedule_id, known.pin["over"])
    _put_in_force(writer, schedule_id, _content(over))
    writer.note("schedule.unpin", schedule_id, before=_was(known), after={"version": over.number})


def _put_in_force(writer: ScheduleWriter, schedule_id: str, content: dict[str, Any]) -> None:
    rule, target = Rule.from_json(content["rule"]).as_written, Target.from_json(content["target"])
    before = writer.settle(schedule_id)
    given = content["definition"].get("wall_times", {})
    zone = zone_of(rule) or next((text.rpartition(" ")[2] for text in given.values()), None)

    def add_version(since: datetime, taken: Rule) -> int:
        text = taken.to_json()
        form = max(taken.format, target.format)
        its = {"rule": text, "rule_key": short_digest(text), "rule_format": form}
        return writer.insert_version(schedule_id, content | its, since, zone)

    writer.put_in_force(before, rule, add_version)


def _refuse_silent(row: AnyRow) -> None:
    if row.state == ScheduleState.REMOVED:
        raise Refused(f"{row.id} is not there any more: bring it back, then pin it.")
    if row.state == ScheduleState.ERROR and row.state_by == BY_DEFINITIONS:
        raise Refused(f"{row.id} can't fire: {row.state_reason} Edit it, or bring it back in code.")


def _refuse_gone(writer: ScheduleWriter, version: AnyRow) -> None:
    """Raise Refused for a version that can't be gone by here: its jobs are gone, or its form."""
    try:
        Rule.from_json(version.rule)
        jobs = [job.name for job in Target.from_json(version.target).jobs]
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(
            f"Version {version.number} can't be read by this release: {error}. Choose another one."
        ) from None
    if gone := sorted(set(jobs) - writer.registry.jobs.keys()):
        raise Refused(
            f"Version {version.number} runs {', '.join(gone)}, which the definitions don't have "
            "any more: choose another version, or bring that back in code."
        )


def _version(writer: ScheduleWriter, schedule_id: str, number: int) -> AnyRow:
    query = _VERSION.where(_v.schedule_id == schedule_id, _v.number == number)
    if (row := writer.connection.execute(query).one_or_none()) is None:
        raise NotFound(
            f"{schedule_id} has no version {number}; `tick versions {schedule_id}` lists them."
        )
    return row


def _content(version: AnyRow) -> dict[str, Any]:
    return {name: version._mapping[name] for name in _CONTENT}


def _was(row: AnyRow) -> dict[str, Any]:
    return {} if row.pin is None else {"pinned_to": row.pin["version"]}
