"""What people do: every action is one transaction, with its audit entry."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger import audit
from tick.engine.ledger.audit import MAX_REASON, Author
from tick.engine.runs.cancel import cancel_runs
from tick.engine.runs.settle import settle_occurrences
from tick.engine.runs.wake_workers import announce_ready
from tick.engine.schedules import lifecycle, pause, replay
from tick.errors import NotFound, Refused
from tick.ops.actions.run_now import run_all, run_group, run_job, run_schedule
from tick.ops.queries.occurrences import get_occurrence
from tick.ops.queries.revisions import check_revision
from tick.ops.schemas import Schema
from tick.states import UNFINISHED_RUNS, RunStatus
from tick.store.database import Database
from tick.store.tables import job_run

__all__ = [
    "MAX_REASON",
    "Author",
    "cancel_occurrence",
    "cancel_run",
    "disable_schedule",
    "enable_schedule",
    "pause_schedule",
    "resume_schedule",
    "resume_schedules",
    "run_all",
    "run_group",
    "run_job",
    "run_schedule",
    "run_slots",
]
_r = job_run.c


def enable_schedule(
    database: Database,
    schedule_id: str,
    *,
    now: datetime,
    author: Author,
    catch_up_latest: bool = False,
    expected: str | None = None,
) -> bool:
    """Switch a schedule on; False when it was on.

    `expected` is the revision that was read, here and below. Raises NotFound, Refused, Stale.
    """
    with database.write.begin() as connection:
        check_revision(connection, schedule_id, expected)
        return lifecycle.enable(
            connection, schedule_id, now=now, author=author, catch_up_latest=catch_up_latest
        )


def disable_schedule(
    database: Database,
    schedule_id: str,
    *,
    now: datetime,
    author: Author,
    reason: str | None = None,
    expected: str | None = None,
) -> bool:
    """Switch a schedule off; False when it was off. Raises NotFound, Stale."""
    with database.write.begin() as connection:
        check_revision(connection, schedule_id, expected)
        return lifecycle.disable(connection, schedule_id, now=now, author=author, reason=reason)


def cancel_run(
    database: Database, run_id: int, *, now: datetime, author: Author, reason: str | None = None
) -> None:
    """Cancel a run: at once if it is queued, by asking if it runs. Raises NotFound, Refused."""
    with database.write.begin() as connection:
        row = connection.execute(sa.select(_r.status, _r.job_name).where(_r.id == run_id)).first()
        if row is None:
            raise NotFound(f"There is no run {run_id}; `tick runs` lists the latest.")
        if row.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
            raise Refused(f"Run {run_id} ({row.job_name}) has ended as {row.status} already.")
        said = author.did("cancelled", reason)
        touched = cancel_runs(connection, [run_id], now=now, reason=said)
        audit.record(
            connection,
            at=now,
            author=author,
            action="run.cancel",
            subject=str(run_id),
            before={"status": row.status},
            reason=reason,
        )
    with database.write.begin() as connection:
        settle_occurrences(connection, touched, now)
        announce_ready(connection)


def cancel_occurrence(
    database: Database,
    occurrence_id: int,
    *,
    now: datetime,
    author: Author,
    reason: str | None = None,
) -> int:
    """Cancel every run of an occurrence that has not ended; how many these were.

    Those that are queued end at once, those that run are asked to stop. Raises NotFound; Refused
    when all have ended.
    """
    with database.write.begin() as connection:
        was = get_occurrence(connection, occurrence_id)
        if not was.is_live:
            raise Refused(f"Occurrence {occurrence_id} has ended as {was.outcome} already.")
        unfinished = sa.select(_r.id).where(
            _r.occurrence_id == occurrence_id, _r.status.in_(UNFINISHED_RUNS)
        )
        ids = list(connection.execute(unfinished).scalars())
        said = author.did("cancelled", reason)
        touched = cancel_runs(connection, ids, now=now, reason=said)
        audit.record(
            connection,
            at=now,
            author=author,
            action="occurrence.cancel",
            subject=str(occurrence_id),
            before={"state": was.outcome},
            after={"runs": len(ids)},
            reason=reason,
        )
    with database.write.begin() as connection:
        settle_occurrences(connection, touched, now)
        announce_ready(connection)
    return len(ids)


def pause_schedule(
    database: Database,
    schedule_id: str,
    *,
    now: datetime,
    author: Author,
    reason: str,
    until: datetime | None = None,
    expected: str | None = None,
) -> None:
    """Keep a schedule from firing, for a reason, perhaps for a time.

    Raises NotFound, Refused, Stale.
    """
    with database.write.begin() as connection:
        check_revision(connection, schedule_id, expected)
        pause.pause(connection, schedule_id, now=now, author=author, reason=reason, until=until)


def resume_schedule(
    database: Database,
    schedule_id: str,
    *,
    now: datetime,
    author: Author,
    catch_up_latest: bool = False,
    run: Sequence[datetime] = (),
    expected: str | None = None,
) -> list[int]:
    """End a pause or an ERROR; the schedule goes on after now. Raises NotFound, Refused, Stale.

    Of the instants that passed meanwhile none runs, or its latest with the next tick, or those in
    `run`, whose occurrences are returned.
    """
    with database.write.begin() as connection:
        check_revision(connection, schedule_id, expected)
        pause.resume(
            connection, schedule_id, now=now, author=author, catch_up_latest=catch_up_latest
        )
        if not run:
            return []
        return replay.replay_instants(connection, schedule_id, run, now=now, author=author)


class SchedulesResumed(Schema):
    """What became of many schedules: those that go on, and why not the others, by id."""

    done: tuple[str, ...]
    refused: dict[str, str]


def resume_schedules(
    database: Database,
    schedule_ids: Iterable[str],
    *,
    now: datetime,
    author: Author,
    catch_up_latest: bool = False,
) -> SchedulesResumed:
    """Resume each schedule in a transaction of its own; one that is refused stops no other."""
    done: list[str] = []
    refused: dict[str, str] = {}
    for schedule_id in dict.fromkeys(schedule_ids):
        try:
            resume_schedule(
                database, schedule_id, now=now, author=author, catch_up_latest=catch_up_latest
            )
        except (NotFound, Refused) as refusal:
            refused[schedule_id] = str(refusal)
        else:
            done.append(schedule_id)
    return SchedulesResumed(done=tuple(done), refused=refused)


def run_slots(
    database: Database,
    schedule_id: str,
    wanted: Sequence[datetime],
    *,
    now: datetime,
    author: Author,
) -> list[int]:
    """Run instants that did not fire as the instants that they are; their occurrences.

    For MISSED, SUPPRESSED, HELD and the like. Raises NotFound, Refused.
    """
    with database.write.begin() as connection:
        return replay.replay_instants(connection, schedule_id, wanted, now=now, author=author)
