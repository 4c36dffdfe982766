"""The definitions in code → rows in the database: new, changed, removed and returned schedules.

A sync fires nothing that was not due already: what is due settles under the old rule first, in the
same transaction; a new rule starts strictly after the sync; nobody's switch is flipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.cron.zone_age import older_in_words
from tick.define.registry import Registry
from tick.define.schedules import Schedule
from tick.define.written import differences_to_plain
from tick.engine.ledger.audit import SYSTEM, Act, Author
from tick.engine.ledger.environment import take_environment
from tick.engine.schedules import lifecycle
from tick.engine.schedules.calculator import apply_newer_rules
from tick.engine.schedules.code_windows import sync_windows
from tick.engine.schedules.diff import BY_DEFINITIONS, Change, find_changes, find_followed
from tick.engine.schedules.generations import next_generation
from tick.engine.schedules.known_calendars import refuse_same_names
from tick.engine.schedules.writer import ScheduleWriter
from tick.engine.schedules.zone_changes import ZoneDataRequest, older_zones
from tick.engine.statistics.count import rename_counted
from tick.errors import OlderZoneData
from tick.states import ScheduleSource, ScheduleState
from tick.store.sql import AnyRow
from tick.store.tables import audit_entry, job_schedule, schedule_version

_s, _v = job_schedule.c, schedule_version.c
_CHUNK = 500
# One that was away for longer may have been forgotten: a person is to switch it on again.
RETURNS_ENABLED_WITHIN = timedelta(days=14)


@dataclass(frozen=True)
class SyncReport:
    """The changes of a sync, by schedule id; `renamed` lists the old ids."""

    generation: int
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Schedules made by hand whose jobs left the code."""
    windows: list[str] = field(default_factory=list)
    """Windows in code that were added, changed or removed, by name."""


def sync(
    connection: sa.Connection,
    registry: Registry,
    *,
    now: datetime,
    author: Author,
    release: str,
    accept_older_zone_data: bool = False,
) -> SyncReport:
    """Bring the schedules to what the registry says. Doing it again changes nothing.

    Raises OlderZoneData where schedules are decided by newer time zone data than this process has,
    WrongEnvironment where the database belongs to another environment.
    """
    one_at_a_time(connection)
    take_environment(connection, registry.environment, Act(now, author))
    refuse_same_names(connection, registry)
    # First of all, every schedule goes by the zone data of this process, or nothing is synced.
    request = ZoneDataRequest(author, author != SYSTEM, accept_older_zone_data)
    while apply_newer_rules(connection, now, _CHUNK, request):
        pass
    if older := older_zones(connection):
        raise OlderZoneData(older_in_words({known.zone: known.version for known in older}))
    report = SyncReport(next_generation(connection, registry, now, release))
    work = _Sync(connection, Act(now, author), registry, report.generation, report)
    changes = find_changes(connection, registry)
    # All that will change are locked at once, by id as everybody does: no two transactions cross.
    ids = [change.known.id for change in changes if change.known is not None]
    connection.execute(sa.select(_s.id).where(_s.id.in_(ids)).order_by(_s.id).with_for_update())
    for change in changes:
        work.apply(change)
    report.windows.extend(sync_windows(connection, work.act, registry.windows))
    return report


def follow(connection: sa.Connection, act: Act, registry: Registry, generation: int) -> SyncReport:
    """Bring the schedules made by hand to what their calendars, by hand, say by now."""
    report = SyncReport(generation)
    work = _Sync(connection, act, registry, generation, report)
    for change in find_followed(connection, registry):
        work.apply(change)
    return report


def one_at_a_time(connection: sa.Connection) -> None:
    """Let no other process write definitions until this transaction ends."""
    # Several start at once after a deploy. SQLite's write transaction is one anyway.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE definition_set IN SHARE ROW EXCLUSIVE MODE"))


@dataclass(frozen=True)
class _Sync(ScheduleWriter):
    """A sync at work; its steps change one schedule each."""

    report: SyncReport

    def apply(self, change: Change) -> None:
        """Add, remove, rename, bring back, change or reword one schedule."""
        schedule = change.schedule
        if schedule is None:
            self._remove(change.id)
            return
        if change.added:
            self.add(schedule)
            self.report.added.append(schedule.id)
            return
        if change.known is not None and change.renamed:
            self._rename(change.known.id, change.id, change.former_ids)
        if change.known is not None and change.returned:
            self._return(change.id, removed_as=change.known.id)
        if change.broken is not None:
            self._break(schedule.id, change.broken)
        if change.changed:
            self._change(change, schedule)
        if change.reworded:
            told = {"alerts": schedule.told(), "environments": differences_to_plain(schedule)}
            self.update(change.id, **schedule.words(), **told)

    def _remove(self, schedule_id: str) -> None:
        """No longer defined: it stops at once, its history and its switch are kept."""
        row = self.settle(schedule_id).row
        reason = f"not in the definitions since generation {self.report.generation}"
        if there := self.registry.elsewhere.get(schedule_id):
            since = f"since generation {self.report.generation}"
            reason = f"not in {self.registry.environment}, but in {', '.join(there)}, {since}"
        # A pause is kept there: it holds again if the schedule comes back soon.
        self.note("schedule.remove", schedule_id, before=_standing(row), reason=reason)
        self.stop(schedule_id, ScheduleState.REMOVED, reason, by=self.author.name)
        self.report.removed.append(schedule_id)

    def _return(self, schedule_id: str, removed_as: str) -> None:
        """Defined again: as it was if it comes back soon, otherwise like a new one."""
        known = lifecycle.find_schedule(self.connection, schedule_id)
        decided_to = lifecycle.account_for(self.connection, known, self.now, self.now)
        soon = self.now - known.row.state_at <= RETURNS_ENABLED_WITHIN
        enabled = bool(known.row.enabled) and soon
        paused = self._pause_before(removed_as, "schedule.remove") if soon else None
        fires = enabled and paused is None
        self.update(
            schedule_id,
            **paused or {"state": ScheduleState.ACTIVE, "state_reason": None, "state_by": None},
            state_at=self.now,
            source=ScheduleSource.CODE,
            enabled=enabled,
            decided_to=decided_to,
            next_run_at=known.next_after(decided_to) if fires else None,
            retry_after=None,
            fire_errors=0,
        )
        self.note("schedule.return", schedule_id, after={"enabled": enabled})
        self.report.returned.append(schedule_id)

    def _change(self, change: Change, schedule: Schedule) -> None:
        before = self.change(schedule, source=change.source)
        old: dict[str, Any] = {"rule": before.row.rule}
        new: dict[str, Any] = {"rule": schedule.rule().to_json()}
        if (had := before.row.labels or []) != list(schedule.labels):
            old, new = old | {"labels": had}, new | {"labels": list(schedule.labels)}
        self.note("schedule.change", schedule.id, before=old, after=new)
        paused = self._pause_before(schedule.id, "schedule.break")
        if before.row.state_by == BY_DEFINITIONS and paused is not None:
            self.update(schedule.id, **paused, next_run_at=None)
        self.report.changed.append(schedule.id)

    def _break(self, schedule_id: str, why: str) -> None:
        """A job of a schedule made by hand left the code: it can't fire until that is back."""
        row = self.settle(schedule_id).row
        if row.state_by != BY_DEFINITIONS:
            # Only the first time: how it stood before is read from there when it is mended.
            self.note("schedule.break", schedule_id, before=_standing(row), reason=why)
        self.stop(schedule_id, ScheduleState.ERROR, why, by=BY_DEFINITIONS)
        self.report.broken.append(schedule_id)

    def _pause_before(self, schedule_id: str, action: str) -> dict[str, Any] | None:
        """The pause that held when it was removed or broke: nobody has ended it, so it holds."""
        a = audit_entry.c
        entries = sa.select(a.before).where(a.subject == schedule_id, a.action == action)
        before = self.connection.execute(entries.order_by(a.id.desc()).limit(1)).scalar()
        if not before or before["state"] != ScheduleState.PAUSED:
            return None
        until = before["state_until"]
        return {**before, "state_until": until and datetime.fromisoformat(until)}

    def _rename(self, old_id: str, new_id: str, former_ids: Sequence[str]) -> None:
        """Its rows follow by cascade, so history and switch stay."""
        self.settle(old_id)
        self.update(old_id, id=new_id, former_ids=list(former_ids) or None)
        rename_counted(self.connection, old_id, new_id)
        self.note("schedule.rename", new_id, before={"id": old_id}, after={"id": new_id})
        self.report.renamed.append(old_id)


def _standing(row: AnyRow) -> dict[str, Any]:
    """The state of a schedule, as plain JSON values."""
    kept = {name: row._mapping[name] for name in ("state", "state_reason", "state_by")}
    return kept | {"state_until": row.state_until and row.state_until.isoformat()}
