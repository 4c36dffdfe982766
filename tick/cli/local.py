"""The desk on the database itself; see `tick.cli.desk`."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tick.cli.alert_desk import LocalAlertDesk
from tick.cli.local_runs import LocalRuns
from tick.ops.actions import clock_ahead, control, windows, workers_and_queues
from tick.ops.queries import audit, queues, schedules, workers
from tick.ops.queries.audit import AuditEntry, AuditFilter
from tick.ops.queries.queues import Queue
from tick.ops.queries.scheduler import SchedulerStatus, read_status
from tick.ops.queries.windows import MaintenanceWindow, list_windows
from tick.ops.queries.workers import Worker
from tick.ops.reports import composed
from tick.ops.reports import why as why_ops
from tick.ops.reports.statistics import Statistics, Window, gather
from tick.ops.reports.upcoming import list_upcoming
from tick.ops.reports.verify_parts import prove
from tick.ops.schemas import Page
from tick.ops.schemas.system import BroughtBack, Job, Proof
from tick.ops.schemas.work import Schedule, ScheduleWithInstants, UpcomingInstant, Why
from tick.states import WorkerStatus


class LocalDesk(LocalRuns):
    """Reads and acts through `tick.ops`, as the person at the keyboard."""

    @property
    def alerts(self) -> LocalAlertDesk:
        """The part of it that is about alerts."""
        return LocalAlertDesk(self._runtime, self._author)

    def status(self) -> SchedulerStatus:
        """How the system does."""
        with self._reading() as connection:
            return read_status(connection, self.now(), self._runtime.settings.dead_after_seconds)

    def upcoming(
        self, count: int, *, with_off: bool = False, once_each: bool = False
    ) -> list[UpcomingInstant]:
        """What fires next."""
        with self._reading() as connection:
            found = list_upcoming(
                connection, self.now(), count, with_off=with_off, once_each=once_each
            )
        return [UpcomingInstant.model_validate(each) for each in found]

    def verify(self, start: datetime, end: datetime) -> Iterator[Proof]:
        """Part by part: no instant of that time fired twice and none is unaccounted for."""
        return prove(self._database, start, end)

    def schedules(self) -> list[Schedule]:
        """All schedules, by id."""
        found: list[Schedule] = []
        after = None
        with self._reading() as connection:
            while True:
                page = schedules.list_schedules(connection, after=after)
                found += [Schedule.model_validate(row) for row in page.rows]
                if (after := page.after) is None:
                    return found

    def schedule(self, schedule_id: str) -> ScheduleWithInstants:
        """A schedule and its next instants."""
        with self._reading() as connection:
            return composed.read_schedule(connection, schedule_id, self.now())

    def enable(self, schedule_id: str, *, catch_up_latest: bool, expected: str | None) -> Schedule:
        """Switch a schedule on."""
        control.enable_schedule(
            self._database,
            schedule_id,
            **self._as_me(),
            catch_up_latest=catch_up_latest,
            expected=expected,
        )
        return self.schedule(schedule_id).schedule

    def disable(self, schedule_id: str, *, reason: str | None, expected: str | None) -> Schedule:
        """Switch a schedule off."""
        control.disable_schedule(
            self._database, schedule_id, **self._as_me(), reason=reason, expected=expected
        )
        return self.schedule(schedule_id).schedule

    def pause(
        self, schedule_id: str, *, reason: str, until: datetime | None, expected: str | None
    ) -> Schedule:
        """Keep a schedule from firing."""
        control.pause_schedule(
            self._database,
            schedule_id,
            **self._as_me(),
            reason=reason,
            until=until,
            expected=expected,
        )
        return self.schedule(schedule_id).schedule

    def resume(
        self,
        schedule_id: str,
        *,
        catch_up_latest: bool,
        run: Sequence[datetime],
        expected: str | None,
    ) -> Schedule:
        """End a pause or an ERROR."""
        control.resume_schedule(
            self._database,
            schedule_id,
            **self._as_me(),
            catch_up_latest=catch_up_latest,
            run=run,
            expected=expected,
        )
        return self.schedule(schedule_id).schedule

    def resume_from_now(self, schedule_id: str, *, expected: str | None) -> Schedule:
        """Bring a schedule back that a clock ahead has put into the future."""
        clock_ahead.resume_from_now(self._database, schedule_id, **self._as_me(), expected=expected)
        return self.schedule(schedule_id).schedule

    def resume_all_from_now(self) -> BroughtBack:
        """Bring all of those back."""
        found = clock_ahead.resume_all_from_now(self._database, **self._as_me())
        return BroughtBack.model_validate(found)

    def why(self, schedule_id: str, at: datetime) -> Why:
        """Why it fired at an instant, or why it did not."""
        with self._reading() as connection:
            return Why.model_validate(why_ops.explain(connection, schedule_id, at, self.now()))

    def jobs(self) -> list[Job]:
        """All jobs, by name."""
        found: list[Job] = []
        after = None
        with self._reading() as connection:
            while True:
                page = composed.list_jobs(connection, self._runtime.registry, after=after)
                found += page.items
                if (after := page.next) is None:
                    return found

    def workers(self, status: WorkerStatus | None) -> list[Worker]:
        """A page of processes, by id."""
        with self._reading() as connection:
            return list(workers.list_workers(connection, status=status).items)

    def drain(self, worker_id: str) -> bool:
        """Let a worker finish what it has and end; False when it does already."""
        return workers_and_queues.drain_worker(self._database, worker_id, **self._as_me())

    def queues(self) -> list[Queue]:
        """The queues, by name."""
        with self._reading() as connection:
            return list(queues.list_queues(connection, self._runtime.settings.queue_limits))

    def pause_queue(self, name: str, *, reason: str, expected: str | None) -> bool:
        """Let no run of a queue start; False when it was paused."""
        return workers_and_queues.pause_queue(
            self._database, name, **self._as_me(), reason=reason, expected=expected
        )

    def resume_queue(self, name: str, *, expected: str | None) -> bool:
        """Let the runs of a queue start again; False when it was not paused."""
        return workers_and_queues.resume_queue(
            self._database, name, **self._as_me(), expected=expected
        )

    def stop_scheduler(self, *, reason: str, expected: str | None) -> bool:
        """Let nothing fire; False when it stands already."""
        return windows.stop_scheduler(
            self._database, **self._as_me(), reason=reason, expected=expected
        )

    def start_scheduler(self, *, expected: str | None) -> bool:
        """Let schedules fire again; False when it was not stopped."""
        return windows.start_scheduler(self._database, **self._as_me(), expected=expected)

    def windows(self) -> list[MaintenanceWindow]:
        """The maintenance windows, those to come first."""
        with self._reading() as connection:
            return list(list_windows(connection, self.now()))

    def add_window(self, starts_at: datetime, ends_at: datetime, *, reason: str) -> int:
        """Plan a time in which nothing fires; its id."""
        return windows.add_window(
            self._database, **self._as_me(), starts_at=starts_at, ends_at=ends_at, reason=reason
        )

    def end_window(self, window_id: int, *, expected: str | None) -> bool:
        """End a window now, or call it off; False when it was over."""
        return windows.end_window(self._database, window_id, **self._as_me(), expected=expected)

    def audit(self, chosen: AuditFilter, *, before: int | None) -> Page[AuditEntry]:
        """A page of changes, newest first; `next` is the id below which it goes on."""
        with self._reading() as connection:
            return audit.list_audit(connection, chosen, before=before)

    def statistics(
        self, window: Window, timezone: str, *, job: str | None, schedule: str | None
    ) -> Statistics:
        """How often things go well, on time, and in what time."""
        return gather(
            self._database,
            self.now(),
            window=window,
            timezone=timezone,
            job_name=job,
            schedule_id=schedule,
        )
