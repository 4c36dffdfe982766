"""Works a backfill off, a portion at a time: each tick queues what its limits leave room for.

A portion is one transaction with the cursor that it moves, so a tick that dies leaves all of it or
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.engine.ledger.audit import Act, Author
from tick.engine.ledger.backfills import IS_RUNNING, in_the_way, tick_id_of
from tick.engine.ledger.versions import versions_of
from tick.engine.ledger.windows import windows_touching
from tick.engine.schedules.lifecycle import LockedSchedule, find_schedule
from tick.engine.schedules.past import first_in, parts_of
from tick.engine.schedules.replay import Replay, decide_while_off
from tick.engine.statistics.count import count_of_schedule
from tick.errors import PlanFailed
from tick.policy.backfills import Surroundings, count_to_queue, waits_for
from tick.policy.instants import just_before
from tick.policy.windows import covering, of_schedule
from tick.states import (
    ENDED_OUTCOMES,
    FIRED_OUTCOMES,
    LIVE_OUTCOMES,
    BackfillOverlap,
    BackfillState,
    OverlapPolicy,
    ScheduleState,
)
from tick.store.sql import AnyRow, literal_state
from tick.store.tables import backfill, occurrence

_b, _o = backfill.c, occurrence.c
_LOOKED_AT = 1000
_MEASURED = 20


@dataclass(frozen=True)
class Advanced:
    """What one transaction queued of a backfill."""

    instants: int = 0
    runs: int = 0


def running_ids(connection: sa.Connection) -> Sequence[int]:
    """The ids of the backfills that are to be worked off, the oldest first."""
    return connection.execute(sa.select(_b.id).where(IS_RUNNING).order_by(_b.id)).scalars().all()


def advance(connection: sa.Connection, backfill_id: int, now: datetime, most_runs: int) -> Advanced:
    """Queue the next instants of a backfill, or end it when all of them have ended.

    At most `most_runs` runs, but one instant is not cut. Raises PlanFailed if another got ahead.
    """
    found = connection.execute(sa.select(_b.schedule_id).where(_b.id == backfill_id)).scalar()
    if found is None or most_runs <= 0:
        return Advanced()
    # The schedule before the backfill: in this order all lock them.
    known = find_schedule(connection, found)
    query = sa.select(backfill).where(_b.id == backfill_id, IS_RUNNING).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        return Advanced()  # paused, cancelled or ended meanwhile
    work = _Portion(connection, known, row, now)
    unfinished = work.unfinished()
    if row.decided_to >= row.ends_at:
        if not unfinished:
            work.write(state=BackfillState.DONE, state_at=now, state_by="system")
        return Advanced()
    beside = surroundings(connection, known, row, now)
    if waits_for(BackfillOverlap(row.overlap), beside) is not None:
        return Advanced()
    return work.queue(unfinished, beside, most_runs)


def surroundings(
    connection: sa.Connection, known: LockedSchedule, row: AnyRow, now: datetime
) -> Surroundings:
    """What goes on beside a backfill at `now`."""
    touching = windows_touching(connection, now, now)
    windows = of_schedule(touching, known.row.id, known.row.labels)
    window = covering(windows, now) if windows else None
    mine = tick_id_of(row.id, row.overlap)
    own = sa.select(sa.func.min(_o.id)).where(
        _o.schedule_id == known.row.id, *in_the_way(), _o.tick_id != mine
    )
    next_at = known.row.next_run_at if known.fires else None
    following = None if next_at is None else known.next_after(next_at)
    return Surroundings(
        state=ScheduleState(known.row.state),
        overlap=known.ask(lambda rule: rule.overlap) or OverlapPolicy.SKIP,
        closed=None if window is None else window.in_words(),
        live_id=connection.execute(own).scalar(),
        next_at=next_at,
        every=following - next_at if following and next_at else None,
        has_deadline=known.ask(lambda rule: rule.deadline_seconds) is not None,
    )


@dataclass(frozen=True)
class _Portion:
    """A backfill that is worked off: what all steps share."""

    connection: sa.Connection
    known: LockedSchedule
    row: AnyRow
    now: datetime

    @property
    def tick_id(self) -> str:
        """The tick_id of its occurrences."""
        return tick_id_of(self.row.id, self.row.overlap)

    def unfinished(self) -> list[int]:
        """Its occurrences that have not finished, the oldest first."""
        query = sa.select(_o.id).where(
            _o.schedule_id == self.known.row.id,
            literal_state(_o.outcome, *LIVE_OUTCOMES),
            _o.tick_id == self.tick_id,
        )
        return list(self.connection.execute(query.order_by(_o.id)).scalars())

    def queue(self, unfinished: list[int], beside: Surroundings, most_runs: int) -> Advanced:
        """Queue what there is room for, and move the cursor past it."""
        overlap, most = BackfillOverlap(self.row.overlap), int(self.row.max_parallel)
        room = count_to_queue(overlap, most, len(unfinished), beside, self._usual(), self.now)
        if not room:
            return Advanced()
        if self.row.ends_at > self.known.row.decided_to:
            decide_while_off(self.connection, self.known, self.now)
        # What became of the instants so far is counted as it was.
        count_of_schedule(self.connection, self.known.row.id)
        versions = versions_of(self.connection, self.known.row.id)
        replay = Replay(self.connection, self.known, versions, self._act(), self.tick_id)
        until = self._until()
        looked_at = first_in(parts_of(versions, self.row.decided_to, until), _LOOKED_AT)
        fired = self._fired(looked_at)
        chain, made, runs, passed = list(unfinished), 0, 0, 0
        cursor = looked_at[-1] if len(looked_at) == _LOOKED_AT else until
        for at in looked_at:
            if made == room or runs >= most_runs:
                cursor = just_before(at)
                break
            if at in fired:
                passed += fired[at] >= self.row.created_at  # else it was never among the wanted
                continue
            # The one that has to end first: so no more than `max_parallel` run at one time.
            blocker = chain[-most] if len(chain) >= most else None
            queued = replay.run_unless_refused(at, blocker)
            if queued is None:
                passed += 1
                continue
            chain.append(queued.occurrence_id)
            made, runs = made + 1, runs + queued.runs
        self.write(
            decided_to=cursor,
            made=self.row.made + made,
            passed_over=self.row.passed_over + passed,
        )
        return Advanced(made, runs)

    def _fired(self, looked_at: Sequence[datetime]) -> dict[datetime, datetime]:
        """Those of the instants that have fired, and when that was decided."""
        if not looked_at:
            return {}
        between = _o.scheduled_for.between(looked_at[0], looked_at[-1])
        its = sa.select(_o.scheduled_for, _o.decided_at).where(
            _o.schedule_id == self.known.row.id, _o.outcome.in_(FIRED_OUTCOMES), between
        )
        return {row.scheduled_for: row.decided_at for row in self.connection.execute(its)}

    def write(self, **values: object) -> None:
        """Write the row, if it stands as it was read. Raises PlanFailed, which rolls all back."""
        changed = self.connection.execute(
            sa.update(backfill)
            .where(_b.id == self.row.id, IS_RUNNING, _b.decided_to == self.row.decided_to)
            .values(**values)
        ).rowcount
        if changed != 1:
            raise PlanFailed(
                f"Backfill {self.row.id} was changed by somebody else just now; "
                "nothing was queued, and the next tick goes on with it."
            )

    def _until(self) -> datetime:
        """Up to where it may decide: what is due for the schedule's own tick is left to that."""
        end: datetime = self.row.ends_at
        decided_to: datetime = self.known.row.decided_to
        undecided = self.known.next_after(decided_to) if self.known.fires else None
        if undecided is None or undecided > end:
            return end
        begun: datetime = self.row.decided_to
        return max(begun, decided_to)

    def _act(self) -> Act:
        return Act(self.now, Author(self.row.created_by), self.row.reason)

    def _usual(self) -> timedelta | None:
        """How long the schedule's latest firings took that ended; None without any."""
        latest = (
            sa.select(_o.first_started_at, _o.last_finished_at)
            .where(
                _o.schedule_id == self.known.row.id,
                literal_state(_o.outcome, *ENDED_OUTCOMES),
                _o.first_started_at.is_not(None),
                _o.last_finished_at.is_not(None),
            )
            .order_by(_o.id.desc())
            .limit(_MEASURED)
        )
        took = sorted(end - begin for begin, end in self.connection.execute(latest).all())
        return took[-1] if took else None
