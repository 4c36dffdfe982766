"""Schedules by hand: making, editing, deleting and restoring those that don't live in code."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from tick.define.mistakes import MAX_ID
from tick.define.registry import Registry
from tick.define.schedules import canonical, short_digest
from tick.engine.schedules import custom
from tick.engine.schedules.generations import (
    DefinitionStatus,
    definition_status,
    latest_generation,
)
from tick.engine.schedules.sync import one_at_a_time
from tick.engine.schedules.writer import ScheduleWriter
from tick.errors import InvalidInput, Refused
from tick.ops.act import Act, Change, action
from tick.ops.actions import switches
from tick.ops.queries.revisions import check_revision
from tick.store.database import Database
from tick.store.tables import job_schedule

_s = job_schedule.c
_ONE_OF = (("cron", "every", "at"), ("job", "job_group", "jobs", "mode"))


def create_schedule(
    database: Database,
    act: Act,
    registry: Registry,
    written: Mapping[str, Any],
    *,
    schedule_id: str | None = None,
    enabled: bool = False,
) -> str:
    """Make a schedule and return its id, made from its name unless given.

    Enabled, it first fires at its first instant after now. The same key again gives the same
    schedule. Raises InvalidInput, and Refused when the id is taken.
    """
    try:
        return _create(database, act, registry, written, schedule_id, enabled)
    except sa.exc.IntegrityError:
        # Two people took one id in the same moment; the other was first.
        raise Refused(f"A schedule {schedule_id} was made just now; choose another id.") from None


def _check(change: Change) -> None:
    # The definitions before the row, as a sync takes them: else each could wait for the other.
    one_at_a_time(change.connection)
    check_revision(change)


@action("schedule.add", subject="")
def _create(
    change: Change,
    registry: Registry,
    written: Mapping[str, Any],
    schedule_id: str | None,
    enabled: bool,
) -> str:
    writer = schedule_writer(change, registry)
    key = _request_key(change, {**written, "id": schedule_id, "enabled": enabled})
    if key is not None and (made := _made_before(change.connection, key)) is not None:
        return made
    if schedule_id is None:
        schedule_id = custom.free_id(change.connection, id_of(str(written.get("name", ""))))
    custom.make(writer, schedule_id, written)
    if key is not None:
        its = sa.update(job_schedule).where(_s.id == schedule_id)
        change.connection.execute(its.values(request_key=key))
    if enabled:
        switches.switch_on(change, schedule_id)
    return schedule_id


def _request_key(change: Change, asked: Mapping[str, Any]) -> str | None:
    """Return the name of a request that has a key: of the key, and of what was asked under it."""
    if not change.act.key:
        return None
    whose = f"{change.author.name}\n{change.act.key}"
    return f"{short_digest(whose)}:{short_digest(canonical(asked))}"


def _made_before(connection: sa.Connection, key: str) -> str | None:
    """Return the schedule that the same request made. Raises Refused if it asked for another."""
    # No rival can make one meanwhile: whoever writes definitions is alone.
    same = _s.request_key.like(f"{key.partition(':')[0]}:%")
    made = connection.execute(sa.select(_s.id, _s.request_key).where(same)).first()
    if made is not None and made.request_key != key:
        raise Refused(
            f"Under the same key schedule {made.id} was made with other options. Take a new key to "
            "make another one."
        )
    return None if made is None else str(made.id)


@action("schedule.change", check=_check)
def edit_schedule(
    change: Change,
    schedule_id: str,
    registry: Registry,
    given: Mapping[str, Any],
    *,
    enabled: bool | None = None,
) -> bool:
    """Write what is given of a schedule; the rest stays. False when nothing changed.

    None takes an option away. Another way to say when, or what to run, takes the place of the old
    one. `enabled` switches it as well. Raises NotFound, Stale, InvalidInput, and Refused
    for one that lives in code.
    """
    writer = schedule_writer(change, registry)
    known = custom.find_custom(change.connection, schedule_id)
    changed = custom.edit(writer, known, merge(known.written, given))
    if enabled is None:
        return changed
    switch = switches.switch_on if enabled else switches.switch_off
    return switch(change, schedule_id) or changed


@action("schedule.delete", check=_check)
def delete_schedule(change: Change, schedule_id: str, registry: Registry) -> None:
    """Delete a schedule; what it fired stays, and it can be restored. What runs goes on.

    Raises NotFound, Stale, and Refused for one that lives in code.
    """
    writer = schedule_writer(change, registry)
    known = custom.find_custom(change.connection, schedule_id)
    custom.delete(writer, known)


@action("schedule.restore")
def restore_schedule(change: Change, schedule_id: str, registry: Registry) -> bool:
    """Bring a deleted schedule back, switched off; whether its jobs have changed since.

    Raises NotFound, Refused, InvalidInput.
    """
    writer = schedule_writer(change, registry)
    return custom.restore(writer, custom.find_custom(change.connection, schedule_id))


def merge(written: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were written, with those that are given in their place."""
    merged = dict(written)
    for options in _ONE_OF:
        if any(given.get(option) is not None for option in options):
            merged = {name: value for name, value in merged.items() if name not in options}
    merged |= given
    return {name: value for name, value in merged.items() if value is not None}


def schedule_writer(change: Change, registry: Registry) -> ScheduleWriter:
    """A writer by these definitions, alone as a sync is. Raises Refused if newer ones are there."""
    connection = change.connection
    one_at_a_time(connection)
    if definition_status(connection, registry) is DefinitionStatus.SUPERSEDED:
        raise Refused(
            "Newer definitions than those of this process are in force, and it can't know their "
            "jobs. Once the deploy is done everywhere, repeat."
        )
    return ScheduleWriter(connection, change.act, registry, latest_generation(connection))


def id_of(name: str) -> str:
    """The id made from a name: `Daily Full Sync` → `daily-full-sync`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_ID].rstrip("-")
    if not made:
        raise InvalidInput([("body.id", "can't be made from this name; give one")])
    return made
