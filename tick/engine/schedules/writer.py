"""Writes a schedule's definition: adds it, or changes it under a new version.

A change fires nothing that was not due already: what is due settles under the old rule first, in
the same transaction; a new rule starts strictly after it; nobody's switch is flipped.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.define.registry import Registry
from tick.define.schedules import Schedule, short_digest
from tick.define.written import differences_to_plain, to_plain
from tick.engine.firing.claim_schedules import TickClaim
from tick.engine.firing.fire import fire_due
from tick.engine.ledger.audit import Acting
from tick.engine.ledger.tick_log import learned_tick_seconds
from tick.engine.ledger.windows import keep_what_was_held
from tick.engine.ledger.zones import NO_ZONE, read_zone_data_status
from tick.engine.schedules import lifecycle
from tick.engine.schedules.diff import version_digest, version_texts
from tick.engine.schedules.known_calendars import with_known_calendars
from tick.engine.schedules.pause import end_pauses
from tick.engine.schedules.zone_changes import zone_data_ids
from tick.policy import instants
from tick.policy.hand_over import HandOver, hand_over
from tick.policy.rule import Rule, as_written
from tick.policy.target import Target
from tick.policy.zone_moves import moved_on_after, zone_of
from tick.states import ScheduleSource, ScheduleState
from tick.store.database import TRANSIENT, short_error
from tick.store.tables import job_schedule, schedule_version

_s, _v = job_schedule.c, schedule_version.c
PIN_ENDED = "its definition was changed: a pin holds until then"


@dataclass(frozen=True)
class ScheduleWriter(Acting):
    """Writes definitions within one transaction; `generation` is that of the definitions."""

    registry: Registry
    generation: int

    def add(self, schedule: Schedule, *, source: ScheduleSource = ScheduleSource.CODE) -> None:
        """Add a schedule, switched off, with its first version."""
        self.connection.execute(
            sa.insert(job_schedule),
            {
                "id": schedule.id,
                **schedule.words(),
                "labels": list(schedule.labels),
                "alerts": schedule.told(),
                "environments": differences_to_plain(schedule),
                "source": source,
                "decided_to": self.now,
                "generation": self.generation,
                "created_at": self.now,
                "updated_at": self.now,
            },
        )
        rule = hand_over(None, schedule.rule(), self.now).rule
        version_id = self._add_version(schedule, self.now, source, rule)
        self.update(schedule.id, version_id=version_id)
        self.note("schedule.add", schedule.id, after=schedule.words())

    def change(
        self, schedule: Schedule, *, source: ScheduleSource = ScheduleSource.CODE
    ) -> lifecycle.LockedSchedule:
        """Write a new version: the old rule decides up to now, the new one starts after.

        A pin to an earlier version ends by it. Return the schedule as it stood before; the caller
        writes the audit entry.
        """
        before = self.settle(schedule.id)
        self.put_in_force(
            before,
            schedule.rule(),
            lambda since, taken: self._add_version(schedule, since, source, taken),
            moved=self._only_moved(before, schedule),
            labels=schedule.labels,
        )
        if (pin := before.row.pin) is not None:
            ended = {"pinned_to": pin["version"]}
            self.note("schedule.unpin", schedule.id, before=ended, reason=PIN_ENDED)
        return before

    def put_in_force(
        self,
        before: lifecycle.LockedSchedule,
        rule: Rule,
        add_version: Callable[[datetime, Rule], int],
        *,
        moved: bool = False,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Let a schedule, as `settle` found it, go by a rule of the version that is added.

        `add_version` gets the instant after which it decides, and the rule with what it takes over,
        and returns its id; `moved` says that new zone data alone put its instants elsewhere.
        `labels` are its own from then on; None: those it has.
        """
        values: dict[str, Any] = {}
        if before.row.state == ScheduleState.ERROR:
            values |= {"state": ScheduleState.ACTIVE, "state_reason": None, "fire_errors": 0}
        since = self.now
        taken = HandOver(rule)
        if values or rule.to_json() != as_written(before.row.rule):
            if moved:
                since = moved_on_after(before.rule, rule, before.row.decided_to)
            else:
                since = lifecycle.account_for(self.connection, before, self.now, self.now)
            fires = before.row.enabled and (values or before.fires)
            taken = hand_over(before.ask(lambda known: known), rule, since)
            following = instants.first_after(taken.rule, since) if fires else None
            values |= {"decided_to": since, "next_run_at": following, "retry_after": None}
        elif rule.is_moved:  # the same, with what it took over
            taken = HandOver(before.rule)
        values["labels"] = (before.row.labels or []) if labels is None else list(labels)
        if lost := {*(before.row.labels or ())} - {*values["labels"]}:
            given = (self.connection, self.act, before.row.id, lost)
            keep_what_was_held(*given, before.row.decided_to)
        version_id = add_version(since, taken.rule)
        self.update(before.row.id, version_id=version_id, **values)
        lifecycle.write_lost(self.connection, before, taken, version_id, self.now)

    def _only_moved(self, before: lifecycle.LockedSchedule, schedule: Schedule) -> bool:
        """Whether other zone data put the wall times that were given at other instants."""
        # That is no edit: what it moved into the past is due, as with any other update of the data.
        given = schedule.wall_times()
        if not given:
            return False
        definition = sa.select(_v.definition).where(_v.id == before.row.version_id)
        stored = self.connection.execute(definition).scalar() or {}
        same = replace(schedule.rule(), at=None, anchor=None)
        return stored.get("wall_times") == given and same == before.ask(
            lambda rule: replace(rule, at=None, anchor=None, zone=None)
        )

    def settle(self, schedule_id: str) -> lifecycle.LockedSchedule:
        """Decide what is due by now under the present rule; the schedule after that."""
        try:
            with self.connection.begin_nested():
                end_pauses(self.connection, self.now, 1, _s.id == schedule_id)
                self._fire_due(schedule_id)
        except TRANSIENT:
            raise  # the database, not the schedule: all of it is undone
        except Exception as error:
            # In ERROR, for what can't be fired must not keep its mended definition out.
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

    def _add_version(
        self, schedule: Schedule, since: datetime, source: ScheduleSource, taken: Rule
    ) -> int:
        texts = version_texts(schedule, self.registry)
        rule, target = taken.to_json(), texts["target"]
        zone = zone_of(schedule.rule()) or schedule.named_zone
        given = schedule.labelled()
        if found := schedule.wall_times():
            given |= {"wall_times": found}
        # What a person wrote is kept as written: nothing else remembers it.
        written = {"written": to_plain(schedule)} if source is ScheduleSource.CUSTOM else {}
        if schedule.calendar is not None:
            known = with_known_calendars(self.connection, self.registry, [schedule.calendar])
            made_from = known.calendars.made_from.get(schedule.calendar)
            given |= {"calendar": {"name": schedule.calendar, "made_from": made_from}}
        content = {
            "definition": schedule.words() | {"target": schedule.target()} | given | written,
            "digest": version_digest(texts),
            "rule": rule,
            "rule_key": short_digest(rule),
            "rule_format": max(taken.format, Target.from_json(target).format),
            "limited": schedule.max_runs is not None,
            "overlap": schedule.rule().overlap,
            "mode": schedule.target()["mode"],
            "target": target,
            "target_key": short_digest(target),
        }
        return self.insert_version(schedule.id, content, since, zone)

    def insert_version(
        self, schedule_id: str, content: Mapping[str, Any], since: datetime, zone: str | None
    ) -> int:
        """Add the next version of a schedule, read with the zone's data in force; its id."""
        read_with = zone and zone_data_ids(self.connection, [zone], self.now, self.author)[zone]
        following = sa.func.coalesce(sa.func.max(_v.number), 0) + 1
        number = sa.select(following).where(_v.schedule_id == schedule_id).scalar_subquery()
        values = {"since": since, "by": self.author.name, "zone_data_id": read_with or NO_ZONE}
        created: int = self.connection.execute(
            sa.insert(schedule_version)
            .values(schedule_id=schedule_id, number=number, **content, **values)
            .returning(_v.id)
        ).scalar_one()
        return created

    def update(self, schedule_id: str, **values: Any) -> None:
        """Write columns of a schedule whose row this transaction has locked."""
        self.connection.execute(
            sa.update(job_schedule)
            .where(_s.id == schedule_id)
            .values(**values, generation=self.generation, updated_at=self.now)
        )

    def stop(
        self, schedule_id: str, state: ScheduleState, reason: str, *, by: str, **values: Any
    ) -> None:
        """Let a schedule fire no more, in this state and for that reason."""
        why = {"state": state, "state_reason": reason, "state_by": by, "state_at": self.now}
        self.update(schedule_id, **why, **values, state_until=None, next_run_at=None)

    def note(self, action: str, subject: str, **entry: Any) -> None:
        """Write an audit entry."""
        self.act.record(self.connection, action, subject, **entry)
