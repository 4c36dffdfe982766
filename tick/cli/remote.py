"""The desk in front of a console that runs elsewhere; see `tick.cli.desk`."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tick import clock
from tick.cli.alert_desk import RemoteAlertDesk
from tick.cli.client import Client
from tick.cli.paths import of_schedule, quoted, texts
from tick.ops.queries.audit import AuditEntry, AuditFilter
from tick.ops.queries.queues import Queue
from tick.ops.queries.runs import RunFilter
from tick.ops.queries.scheduler import SchedulerStatus
from tick.ops.queries.windows import MaintenanceWindow
from tick.ops.queries.workers import Worker
from tick.ops.reports.statistics import Statistics, Window
from tick.ops.schemas import Item, Page
from tick.ops.schemas.system import BroughtBack, Job, Proof, ProofPart, WindowAdded
from tick.ops.schemas.work import (
    BackfillPlan,
    BatchDone,
    Cancelled,
    Changed,
    LogPage,
    Occurrence,
    OccurrenceWithRuns,
    Retried,
    RetriedRun,
    Run,
    RunDetail,
    RunWithNeighbours,
    Schedule,
    ScheduleWithInstants,
    SlotsStarted,
    Started,
    UpcomingInstant,
    Why,
)
from tick.states import Outcome, WorkerStatus

FOLLOW_SECONDS = 20
# What a query string calls otherwise than the filter does.
_IN_QUERIES = {
    "job_name": "job",
    "job_group": "group",
    "schedule_id": "schedule",
    "worker_id": "worker",
}


class RemoteDesk:
    """Reads and acts through the JSON API, as the token's name."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def alerts(self) -> RemoteAlertDesk:
        """The part of it that is about alerts."""
        return RemoteAlertDesk(self._client)

    def now(self) -> datetime:
        """The instant it is here."""
        return clock.now()

    def status(self) -> SchedulerStatus:
        """How the system does."""
        return self._client.get(SchedulerStatus, "/scheduler/status")

    def upcoming(
        self, count: int, *, with_off: bool = False, once_each: bool = False
    ) -> list[UpcomingInstant]:
        """What fires next."""
        found = self._client.get(
            Page[UpcomingInstant],
            "/scheduler/upcoming",
            count=count,
            with_off=str(with_off).lower(),
            once_each=str(once_each).lower(),
        )
        return list(found.items)

    def verify(self, start: datetime, end: datetime) -> Iterator[Proof]:
        """Part by part: no instant of that time fired twice and none is unaccounted for."""
        return self._client.pages(ProofPart, "/verify", since=start, until=end)

    def schedules(self) -> list[Schedule]:
        """All schedules, by id."""
        return self._client.all(Page[Schedule], "/schedules")

    def schedule(self, schedule_id: str) -> ScheduleWithInstants:
        """A schedule and its next instants."""
        return self._client.get(ScheduleWithInstants, of_schedule(schedule_id))

    def enable(self, schedule_id: str, *, catch_up_latest: bool, expected: str | None) -> Schedule:
        """Switch a schedule on."""
        body = {"catch_up_latest": catch_up_latest}
        return self._client.post(Schedule, of_schedule(schedule_id, "enable"), body, match=expected)

    def disable(self, schedule_id: str, *, reason: str | None, expected: str | None) -> Schedule:
        """Switch a schedule off."""
        path = of_schedule(schedule_id, "disable")
        return self._client.post(Schedule, path, {"reason": reason}, match=expected)

    def pause(
        self, schedule_id: str, *, reason: str, until: datetime | None, expected: str | None
    ) -> Schedule:
        """Keep a schedule from firing."""
        body = {"reason": reason, "until": until and until.isoformat()}
        return self._client.post(Schedule, of_schedule(schedule_id, "pause"), body, match=expected)

    def resume(
        self,
        schedule_id: str,
        *,
        catch_up_latest: bool,
        run: Sequence[datetime],
        expected: str | None,
    ) -> Schedule:
        """End a pause or an ERROR."""
        body = {"catch_up_latest": catch_up_latest, "run": texts(run)}
        return self._client.post(Schedule, of_schedule(schedule_id, "resume"), body, match=expected)

    def resume_from_now(self, schedule_id: str, *, expected: str | None) -> Schedule:
        """Bring a schedule back that a clock ahead has put into the future."""
        path = of_schedule(schedule_id, "resume-from-now")
        return self._client.post(Schedule, path, {}, match=expected)

    def resume_all_from_now(self) -> BroughtBack:
        """Bring all of those back."""
        return self._client.post(BroughtBack, "/scheduler/resume-from-now", {})

    def why(self, schedule_id: str, at: datetime) -> Why:
        """Why it fired at an instant, or why it did not."""
        return self._client.get(Why, of_schedule(schedule_id, "why"), at=at.isoformat())

    def run_schedule(
        self, schedule_id: str, *, key: str | None, reason: str | None, override_overlap: bool
    ) -> int:
        """Fire a schedule now; the occurrence."""
        body = {"reason": reason, "override_overlap": override_overlap}
        return self._start(of_schedule(schedule_id, "trigger"), body, key)

    def run_job(
        self, name: str, *, key: str | None, reason: str | None, params: Mapping[str, Any]
    ) -> int:
        """Run one job now; the occurrence."""
        body = {"reason": reason, "params": dict(params)}
        return self._start(f"/jobs/{quoted(name)}/run", body, key)

    def run_group(
        self, group: str, *, key: str | None, reason: str | None, params: Mapping[str, Any]
    ) -> int:
        """Run the jobs of a group now; the occurrence."""
        body = {"reason": reason, "params": dict(params)}
        return self._start(f"/groups/{quoted(group)}/run", body, key)

    def run_all(self, *, key: str | None, reason: str | None, params: Mapping[str, Any]) -> int:
        """Run all jobs now; the occurrence."""
        return self._start("/jobs/run", {"reason": reason, "params": dict(params)}, key)

    def run_slots(self, schedule_id: str, at: Sequence[datetime]) -> tuple[int, ...]:
        """Run instants that did not fire as themselves; the occurrences."""
        path = of_schedule(schedule_id, "slots")
        made = self._client.post(SlotsStarted, path, {"scheduled_for": texts(at)})
        return made.occurrence_ids

    def plan_backfill(self, schedule_id: str, start: datetime, end: datetime) -> BackfillPlan:
        """The instants of a time that did not fire."""
        path = of_schedule(schedule_id, "backfill")
        return self._client.get(BackfillPlan, path, since=start, until=end)

    def occurrences(
        self, *, schedule: str | None, outcome: Outcome | None, before: int | None
    ) -> Page[Occurrence]:
        """A page of the ledger, newest first; `next` is the id below which it goes on."""
        query = {"schedule": schedule, "outcome": outcome, "before": before}
        return self._page(Page[Occurrence], "/occurrences", **query)

    def occurrence(self, occurrence_id: int) -> OccurrenceWithRuns:
        """An occurrence with its runs."""
        return self._client.get(OccurrenceWithRuns, f"/occurrences/{occurrence_id}")

    def cancel_occurrence(self, occurrence_id: int, *, reason: str | None) -> int:
        """Cancel every run of an occurrence that has not ended; how many these were."""
        path = f"/occurrences/{occurrence_id}/cancel"
        return self._client.post(Cancelled, path, {"reason": reason}).runs

    def retry_occurrence(
        self, occurrence_id: int, *, reason: str | None, override_overlap: bool
    ) -> tuple[int, ...]:
        """Put back what ended badly in an occurrence; the runs."""
        body = {"reason": reason, "override_overlap": override_overlap}
        return self._client.post(Retried, f"/occurrences/{occurrence_id}/retry", body).run_ids

    def runs(self, chosen: RunFilter, *, before: int | None) -> Page[Run]:
        """A page of runs, newest first; `next` is the id below which it goes on."""
        query = {_IN_QUERIES.get(name, name): value for name, value in vars(chosen).items()}
        return self._page(Page[Run], "/runs", **query, before=before)

    def run(self, run_id: int) -> RunWithNeighbours:
        """A run, what it waits for and what waits for it."""
        return self._client.get(RunWithNeighbours, f"/runs/{run_id}")

    def cancel_run(self, run_id: int, *, reason: str | None) -> RunDetail:
        """Cancel a run, or ask it to stop."""
        return self._client.post(RunDetail, f"/runs/{run_id}/cancel", {"reason": reason})

    def retry_run(
        self, run_id: int, *, reason: str | None, override_overlap: bool, only: bool
    ) -> RetriedRun:
        """Put a run back into the queue, and what was skipped because of it."""
        body = {"reason": reason, "override_overlap": override_overlap, "only": only}
        return self._client.post(RetriedRun, f"/runs/{run_id}/retry", body)

    def cancel_runs(self, run_ids: Collection[int], *, reason: str | None) -> BatchDone:
        """Cancel many runs, with one entry in the audit."""
        body = {"run_ids": list(run_ids), "reason": reason}
        return self._client.post(BatchDone, "/runs/cancel", body)

    def retry_runs(
        self, run_ids: Collection[int], *, reason: str | None, override_overlap: bool, only: bool
    ) -> BatchDone:
        """Put many runs back into the queue, with one entry in the audit."""
        body = {
            "run_ids": list(run_ids),
            "reason": reason,
            "override_overlap": override_overlap,
            "only": only,
        }
        return self._client.post(BatchDone, "/runs/retry", body)

    def logs(self, run_id: int, *, after: int | None = None) -> LogPage:
        """The newest lines of a run, or those after an id: waits a while for these."""
        wait = None if after is None else FOLLOW_SECONDS
        return self._client.get(LogPage, f"/runs/{run_id}/logs", after=after, wait=wait)

    def jobs(self) -> list[Job]:
        """All jobs, by name."""
        return self._client.all(Page[Job], "/jobs")

    def workers(self, status: WorkerStatus | None) -> list[Worker]:
        """A page of processes, by id."""
        return list(self._client.get(Page[Worker], "/workers", status=status).items)

    def drain(self, worker_id: str) -> bool:
        """Let a worker finish what it has and end; False when it does already."""
        return self._client.post(Changed, f"/workers/{quoted(worker_id)}/drain", {}).changed

    def queues(self) -> list[Queue]:
        """The queues, by name."""
        return list(self._client.get(Page[Queue], "/queues").items)

    def pause_queue(self, name: str, *, reason: str, expected: str | None) -> bool:
        """Let no run of a queue start; False when it was paused."""
        path = f"/queues/{quoted(name)}/pause"
        return self._client.post(Changed, path, {"reason": reason}, match=expected).changed

    def resume_queue(self, name: str, *, expected: str | None) -> bool:
        """Let the runs of a queue start again; False when it was not paused."""
        path = f"/queues/{quoted(name)}/resume"
        return self._client.post(Changed, path, {}, match=expected).changed

    def stop_scheduler(self, *, reason: str, expected: str | None) -> bool:
        """Let nothing fire; False when it stands already."""
        path = "/scheduler/stop"
        return self._client.post(Changed, path, {"reason": reason}, match=expected).changed

    def start_scheduler(self, *, expected: str | None) -> bool:
        """Let schedules fire again; False when it was not stopped."""
        return self._client.post(Changed, "/scheduler/start", {}, match=expected).changed

    def windows(self) -> list[MaintenanceWindow]:
        """The maintenance windows, those to come first."""
        return list(self._client.get(Page[MaintenanceWindow], "/windows").items)

    def add_window(self, starts_at: datetime, ends_at: datetime, *, reason: str) -> int:
        """Plan a time in which nothing fires; its id."""
        body = {
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "reason": reason,
        }
        return self._client.post(WindowAdded, "/windows", body).window_id

    def end_window(self, window_id: int, *, expected: str | None) -> bool:
        """End a window now, or call it off; False when it was over."""
        path = f"/windows/{window_id}/end"
        return self._client.post(Changed, path, {}, match=expected).changed

    def audit(self, chosen: AuditFilter, *, before: int | None) -> Page[AuditEntry]:
        """A page of changes, newest first; `next` is the id below which it goes on."""
        return self._page(Page[AuditEntry], "/audit", **vars(chosen), before=before)

    def statistics(
        self, window: Window, timezone: str, *, job: str | None, schedule: str | None
    ) -> Statistics:
        """How often things go well, on time, and in what time."""
        query = {"window": window, "timezone": timezone, "job": job, "schedule": schedule}
        return self._client.get(Statistics, "/stats", **query)

    def _page(self, model: type[Page[Item]], path: str, **query: Any) -> Page[Item]:
        page = self._client.get(model, path, **query)
        found = parse_qs(urlsplit(page.next or "").query).get("before", [None])
        return page.model_copy(update={"next": found[0]})

    def _start(self, path: str, body: Mapping[str, Any], key: str | None) -> int:
        # Sent with a key in any case: what lies in between may send a request twice.
        key = key or secrets.token_hex(16)
        return self._client.post(Started, path, body, key=key).occurrence_id
