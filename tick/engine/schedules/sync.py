"""The definitions in code → rows in the database: new, changed, removed and returned schedules.

A sync fires nothing that was not due already: what is due settles under the old rule first, in the
same transaction; a new rule starts strictly after the sync; nobody's switch is flipped.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.cron.zone_age import older_in_words
from tick.define.registry import Registry
from tick.define.schedules import Schedule, short_digest
from tick.engine.firing.fire import fire_due
from tick.engine.firing.write_plans import TickClaim
from tick.engine.ledger.audit import SYSTEM, Act, Author
from tick.engine.ledger.tick_log import learned_tick_seconds
from tick.engine.ledger.zones import NO_ZONE, read_zone_data_status
from tick.engine.schedules import lifecycle
from tick.engine.schedules.calculator import apply_newer_rules
from tick.engine.schedules.diff import Change, find_changes, version_digest, version_texts
from tick.engine.schedules.generations import next_generation
from tick.engine.schedules.pause import end_pauses
from tick.engine.schedules.zone_changes import ZoneDataRequest, older_zones, zone_data_ids
from tick.engine.statistics.count import rename_counted
from tick.errors import OlderZoneData
from tick.policy import instants
from tick.policy.rule import RULE_FORMAT
from tick.policy.zone_moves import moved_on_after, zone_of
from tick.states import ScheduleState
from tick.store.database import TRANSIENT, short_error
from tick.store.tables import audit_entry, job_schedule, schedule_version

_s, _v = job_schedule.c, schedule_version.c
_CHUNK = 500
RETURNS_ENABLED_WITHIN = timedelta(days=14)


@dataclass(frozen=True)
class SyncReport:
    """What a sync changed, by schedule id; `renamed` lists the old ids."""

    generation: int
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)


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

    Raises OlderZoneData where schedules are decided by newer time zone data than this process has.
    """
    _one_at_a_time(connection)
    _heed_zone_data(connection, now, author, accept_older_zone_data)
    report = SyncReport(next_generation(connection, registry, now, release))
    work = _Sync(connection, registry, report, now, author)
    changes = find_changes(connection, registry)
    _lock(connection, changes)
    for change in changes:
        work.apply(change)
    return report


def _heed_zone_data(
    connection: sa.Connection, now: datetime, author: Author, accept_older: bool
) -> None:
    """First of all, every schedule goes by the data of this process, or nothing is synced."""
    request = ZoneDataRequest(author, by_person=author != SYSTEM, accept_older=accept_older)
    while apply_newer_rules(connection, now, _CHUNK, request):
        pass
    older = older_zones(connection)
    if older:
        raise OlderZoneData(older_in_words({known.zone: known.version for known in older}))


def _one_at_a_time(connection: sa.Connection) -> None:
    """Several processes start at once after a deploy; SQLite's write transaction is one anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE definition_set IN SHARE ROW EXCLUSIVE MODE"))


def _lock(connection: sa.Connection, changes: Sequence[Change]) -> None:
    """Lock every schedule that will change, by id as all do: two transactions never cross."""
    ids = [change.known.id for change in changes if change.known is not None]
    connection.execute(sa.select(_s.id).where(_s.id.in_(ids)).order_by(_s.id).with_for_update())


@dataclass(frozen=True)
class _Sync:
    """One sync at work: what all its steps share."""

    connection: sa.Connection
    registry: Registry
    report: SyncReport
    now: datetime
    author: Author

    def apply(self, change: Change) -> None:
        """Add, remove, rename, bring back, change or reword one schedule."""
        schedule = change.schedule
        if schedule is None:
            self._remove(change.id)
            return
        if change.added:
            self._add(schedule)
            return
        if change.known is not None and change.renamed:
            self._rename(change.known.id, change.id, change.former_ids)
        if change.known is not None and change.returned:
            self._return(change.id, removed_as=change.known.id)
        if change.changed:
            self._change(schedule)
        if change.reworded:
            self._update(change.id, **schedule.words(), alerts=schedule.told())

    def _add(self, schedule: Schedule) -> None:
        self.connection.execute(
            sa.insert(job_schedule),
            {
                "id": schedule.id,
                **schedule.words(),
                "alerts": schedule.told(),
                "decided_to": self.now,
                "generation": self.report.generation,
                "created_at": self.now,
                "updated_at": self.now,
            },
        )
        self._update(schedule.id, version_id=self._new_version(schedule, self.now))
        self._note("schedule.add", schedule.id, after=schedule.words())
        self.report.added.append(schedule.id)

    def _change(self, schedule: Schedule) -> None:
        """A new version: the old rule decides up to now, the new one starts after."""
        before = self._settle(schedule.id)
        rule = schedule.rule()
        values: dict[str, Any] = {}
        if before.row.state == ScheduleState.ERROR:
            values |= {"state": ScheduleState.ACTIVE, "state_reason": None, "fire_errors": 0}
        since = self.now
        if values or rule.to_json() != before.row.rule:
            if self._only_moved(before, schedule):
                since = moved_on_after(before.rule, rule, before.row.decided_to)
            else:
                since = lifecycle.account_for(self.connection, before, self.now, self.now)
            fires = before.row.enabled and (values or before.fires)
            following = instants.first_after(rule, since) if fires else None
            values |= {"decided_to": since, "next_run_at": following, "retry_after": None}
        self._update(schedule.id, version_id=self._new_version(schedule, since), **values)
        self._note(
            "schedule.change",
            schedule.id,
            before={"rule": before.row.rule},
            after={"rule": rule.to_json()},
        )
        self.report.changed.append(schedule.id)

    def _only_moved(self, before: lifecycle.LockedSchedule, schedule: Schedule) -> bool:
        """Whether other zone data put the wall times that were given at other instants.

        That is no edit: what it moved into the past is due, as with any other update of the data.
        """
        given = schedule.wall_times()
        if not given:
            return False
        definition = sa.select(_v.definition).where(_v.id == before.row.version_id)
        stored = self.connection.execute(definition).scalar() or {}
        same = replace(schedule.rule(), at=None, anchor=None)
        return stored.get("wall_times") == given and same == before.ask(
            lambda rule: replace(rule, at=None, anchor=None, zone=None)
        )

    def _remove(self, schedule_id: str) -> None:
        """No longer defined: it stops at once, its history and its switch are kept."""
        row = self._settle(schedule_id).row
        reason = f"not in the definitions since generation {self.report.generation}"
        self._note(
            "schedule.remove",
            schedule_id,
            before={name: row._mapping[name] for name in ("state", "state_reason", "state_by")}
            | {"state_until": row.state_until and row.state_until.isoformat()},
            reason=reason,
        )
        self._update(
            schedule_id,
            state=ScheduleState.REMOVED,
            state_reason=reason,
            state_by=self.author.name,
            state_at=self.now,
            state_until=None,
            next_run_at=None,
        )
        self.report.removed.append(schedule_id)

    def _return(self, schedule_id: str, removed_as: str) -> None:
        """Defined again: as it was if it comes back soon, otherwise like a new one."""
        known = lifecycle.find_schedule(self.connection, schedule_id)
        decided_to = lifecycle.account_for(self.connection, known, self.now, self.now)
        soon = self.now - known.row.state_at <= RETURNS_ENABLED_WITHIN
        enabled = bool(known.row.enabled) and soon
        paused = self._pause_before_removal(removed_as) if soon else None
        fires = enabled and paused is None
        self._update(
            schedule_id,
            **paused or {"state": ScheduleState.ACTIVE, "state_reason": None, "state_by": None},
            state_at=self.now,
            enabled=enabled,
            decided_to=decided_to,
            next_run_at=known.next_after(decided_to) if fires else None,
            retry_after=None,
            fire_errors=0,
        )
        self._note("schedule.return", schedule_id, after={"enabled": enabled})
        self.report.returned.append(schedule_id)

    def _pause_before_removal(self, schedule_id: str) -> dict[str, Any] | None:
        """The pause that held when it was removed: it holds again, nobody has ended it."""
        a = audit_entry.c
        before = self.connection.execute(
            sa.select(a.before)
            .where(a.subject == schedule_id, a.action == "schedule.remove")
            .order_by(a.id.desc())
            .limit(1)
        ).scalar()
        if not before or before["state"] != ScheduleState.PAUSED:
            return None
        until = before["state_until"]
        return {**before, "state_until": until and datetime.fromisoformat(until)}

    def _rename(self, old_id: str, new_id: str, former_ids: Sequence[str]) -> None:
        """Its rows follow by cascade, so history and switch stay."""
        self._settle(old_id)
        self._update(old_id, id=new_id, former_ids=list(former_ids) or None)
        rename_counted(self.connection, old_id, new_id)
        self._note("schedule.rename", new_id, before={"id": old_id}, after={"id": new_id})
        self.report.renamed.append(old_id)

    def _settle(self, schedule_id: str) -> lifecycle.LockedSchedule:
        """Decide what is due by now under the present rule; the schedule after that.

        One that can't be fired ends in ERROR: it must not keep its mended definition out.
        """
        try:
            with self.connection.begin_nested():
                end_pauses(self.connection, self.now, 1, _s.id == schedule_id)
                self._fire_due(schedule_id)
        except TRANSIENT:
            raise  # the database, not the schedule: the whole sync is undone
        except Exception as error:
            known = lifecycle.find_schedule(self.connection, schedule_id)
            lifecycle.give_up(self.connection, known, now=self.now, error=short_error(error))
        return lifecycle.find_schedule(self.connection, schedule_id)

    def _fire_due(self, schedule_id: str) -> None:
        tick_id = secrets.token_hex(8)
        fire_due(
            self.connection,
            TickClaim(tick_id, tick_id, self.now, read_zone_data_status(self.connection).usable),
            limit=1,
            tick_seconds=learned_tick_seconds(self.connection),
            only=schedule_id,
            wait=True,
        )

    def _new_version(self, schedule: Schedule, since: datetime) -> int:
        texts = version_texts(schedule, self.registry)
        rule, target = texts["rule"], texts["target"]
        zone = zone_of(schedule.rule()) or schedule.named_zone
        given = {"wall_times": found} if (found := schedule.wall_times()) else {}
        read_with = zone and zone_data_ids(self.connection, [zone], self.now, self.author)[zone]
        last = sa.select(sa.func.coalesce(sa.func.max(_v.number), 0) + 1).where(
            _v.schedule_id == schedule.id
        )
        created: int = self.connection.execute(
            sa.insert(schedule_version)
            .values(
                schedule_id=schedule.id,
                number=last.scalar_subquery(),
                definition=schedule.words() | {"target": schedule.target()} | given,
                digest=version_digest(texts),
                rule=rule,
                rule_key=short_digest(rule),
                rule_format=RULE_FORMAT,
                limited=schedule.max_runs is not None,
                overlap=schedule.rule().overlap,
                mode=schedule.target()["mode"],
                target=target,
                target_key=short_digest(target),
                since=since,
                by=self.author.name,
                zone_data_id=read_with or NO_ZONE,
            )
            .returning(_v.id)
        ).scalar_one()
        return created

    def _update(self, schedule_id: str, **values: Any) -> None:
        self.connection.execute(
            sa.update(job_schedule)
            .where(_s.id == schedule_id)
            .values(**values, generation=self.report.generation, updated_at=self.now)
        )

    def _note(self, action: str, subject: str, **entry: Any) -> None:
        Act(self.now, self.author).record(self.connection, action, subject, **entry)
