"""Running again what ended badly, and which runs made an occurrence as long as it is."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tests.webapp.visitor import Visitor, location
from tick.ops.act import MAX_REASON
from tick.ops.queries.neighbours import Neighbour
from tick.ops.queries.runs import Run
from tick.states import RunStatus
from tick.store.tables import audit_entry, job_run, occurrence
from webapp.drawing.gantt import critical_path, timeline

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def _end(world: World, **statuses: str) -> None:
    with world.database.write.begin() as connection:
        for name, status in statuses.items():
            connection.execute(
                sa.update(job_run)
                .where(job_run.c.job_name == name.replace("_", "-"))
                .values(status=status, started_at=world.now, finished_at=world.now, attempt=1)
            )
        failed = sa.select(sa.func.min(job_run.c.id)).where(job_run.c.status == "FAILED")
        skipped = sa.update(job_run).where(job_run.c.status == "SKIPPED")
        connection.execute(skipped.values(skipped_for_id=failed.scalar_subquery()))
        connection.execute(
            sa.text(
                "UPDATE occurrence SET outcome = 'FAILED', succeeded = 1, failed = 1, skipped = 1"
            )
        )


def _statuses(world: World) -> list[str]:
    return [run.status for run in world.runs()]


def test_what_failed_is_retried_with_what_it_blocked(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    assert 'action="/occurrences/1/retry"' in ada.page("/occurrences/1")
    form = ada.page("/occurrences/1/retry")
    assert "2 runs go back into the queue" in form
    assert location(ada.press(form, "/occurrences/1/retry")) == "/occurrences/1"
    assert _statuses(world) == ["SUCCESS", "QUEUED", "QUEUED"]
    assert "Put back into the queue: 2 runs." in ada.page("/occurrences/1")


def test_the_page_of_a_run_offers_to_take_along_what_was_skipped_for_it(
    world: World, ada: Visitor
) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    failed = next(run.id for run in world.runs() if run.status == "FAILED")
    page = ada.page(f"/runs/{failed}")
    assert "Retry with 1 skipped" in page
    assert '<button class="btn btn-sm btn-quiet" name="only"' in page
    ada.press(page, f"/runs/{failed}/retry")
    assert _statuses(world) == ["SUCCESS", "QUEUED", "QUEUED"]
    assert f"Run {failed} is in the queue again, with 1 skipped because of it." in ada.page("/runs")


def test_a_run_can_be_retried_alone(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    failed = next(run.id for run in world.runs() if run.status == "FAILED")
    ada.post(f"/runs/{failed}/retry", only="")
    assert _statuses(world) == ["SUCCESS", "QUEUED", "SKIPPED"]


def test_many_runs_can_be_retried_alone(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    failed = next(run.id for run in world.runs() if run.status == "FAILED")
    assert 'name="only"' in ada.page(f"/runs/bulk?do=retry&run={failed}")
    ada.post("/runs/bulk/retry", runs=str(failed), only="on")
    assert _statuses(world) == ["SUCCESS", "QUEUED", "SKIPPED"]


def test_a_retry_is_refused_in_words_while_the_schedule_runs(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    ada.post("/schedules/daily/run")
    ada.post("/occurrences/1/retry")
    refusal = ada.page("/occurrences/1")
    assert "is still running (occurrence 2)" in refusal
    assert '<a href="/occurrences/2">Show it</a>' in refusal
    ada.post("/occurrences/1/retry", override_overlap="on")
    assert _statuses(world)[:3] == ["SUCCESS", "QUEUED", "QUEUED"]


def test_a_retry_of_a_unique_run_is_refused_with_a_link_to_the_other(
    world: World, ada: Visitor
) -> None:
    for _ in range(2):
        ada.post("/jobs/match-scores/run")
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == 1).values(status="FAILED"))
        connection.execute(sa.update(job_run).values(unique_key="same"))
    ada.post("/runs/1/retry")
    page = ada.page("/runs/1")
    assert "Run 1 (match-scores) is unique, and run 2 of the same job is QUEUED." in page
    assert '<a href="/runs/2">Show it</a>' in page
    assert _statuses(world) == ["FAILED", "QUEUED"]


def test_a_run_behind_a_failed_one_says_what_to_do(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    ada.post("/runs/3/retry")
    assert "waits for match-scores, which ended as FAILED" in ada.page("/runs/3")


def test_a_live_run_is_cancelled_from_its_occurrence(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    ada.press(ada.page("/occurrences/1"), "/runs/3/cancel")
    assert _statuses(world) == ["QUEUED", "QUEUED", "CANCELLED"]


def test_the_critical_path_follows_whichever_ended_last() -> None:
    runs = [_run(1, 0, 5), _run(2, 0, 9), _run(3, 9, 12), _run(4, 5, 11), _run(5, None, None)]
    upstream = _after({3: (1, 2), 4: (1,), 5: (4,)})
    assert critical_path(runs, upstream, NOW) == (2, 3)


def test_a_run_at_work_is_on_the_critical_path() -> None:
    runs = [_run(1, -60, -50), _run(2, -50, None), _run(3, -60, -20)]
    assert critical_path(runs, _after({2: (1,)}), NOW) == (1, 2)


def test_there_is_no_critical_path_before_anything_started() -> None:
    assert critical_path([_run(1, None, None)], {}, NOW) == ()
    assert critical_path([], {}, NOW) == ()


def test_an_upstream_run_that_is_not_shown_ends_the_path() -> None:
    assert critical_path([_run(7, 0, 3)], _after({7: (1,)}), NOW) == (7,)


def _after(edges: dict[int, tuple[int, ...]]) -> dict[int, tuple[Neighbour, ...]]:
    return {
        number: tuple(_neighbour(other) for other in others) for number, others in edges.items()
    }


def _neighbour(number: int) -> Neighbour:
    return Neighbour(
        run_id=number, job_name=f"job-{number}", status=RunStatus.SUCCESS, tolerant=False
    )


def _run(number: int, start: int | None, end: int | None) -> Run:
    """A run with start and end in seconds from NOW; one that started and did not end runs."""
    status = "QUEUED" if start is None else "RUNNING" if end is None else "SUCCESS"
    values: dict[str, Any] = dict.fromkeys(Run.model_fields)
    values |= {"id": number, "job_name": f"job-{number}", "status": status, "queued_at": NOW}
    values["started_at"] = None if start is None else NOW + timedelta(seconds=start)
    values["finished_at"] = None if end is None else NOW + timedelta(seconds=end)
    return Run.model_construct(**values)


def test_an_occurrence_is_cancelled_after_a_question(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    assert 'action="/occurrences/1/cancel"' in ada.page("/occurrences/1")
    form = ada.page("/occurrences/1/cancel")
    assert "3 queued runs will not start" in form
    assert location(ada.press(form, "/occurrences/1/cancel")) == "/occurrences/1"
    assert _statuses(world) == ["CANCELLED"] * 3
    page = ada.page("/occurrences/1")
    assert "Asked to stop: 3 runs." in page
    assert 'action="/occurrences/1/cancel"' not in page
    assert "Everything in it has ended" in ada.page("/occurrences/1/cancel")
    ada.post("/occurrences/1/cancel")
    assert "has ended as CANCELLED already" in ada.page("/occurrences/1")


def test_an_occurrence_as_a_graph_lists_who_waits_for_whom(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    page = ada.page("/occurrences/1?view=graph")
    nodes = re.findall(r'<li data-node="(\d)" data-needs="(\d?)"[^>]* data-word="(\w+)"', page)
    assert nodes == [("1", "", "Queued"), ("2", "1", "Queued"), ("3", "2", "Queued")]
    assert 'href="/runs/3">compatibility</a>' in page


def test_a_bar_tells_waiting_for_others_from_waiting_for_a_worker() -> None:
    runs = [_run(1, start=10, end=40), _run(2, start=60, end=100)]
    bars = timeline(runs, {2: (_neighbour(1),)}, NOW)
    one, two = bars[1], bars[2]
    assert (one.wait_width, one.ready_width, one.work_x, one.work_width) == (0, 10, 10, 30)
    assert (two.wait_width, two.ready_x, two.ready_width) == (40, 40, 20)
    assert (two.work_x, two.work_width) == (60, 40)


def test_a_reason_is_kept_as_far_as_it_fits(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run", reason="x" * (MAX_REASON + 1))
    ((reason,),) = world.rows(
        sa.select(audit_entry.c.reason).where(audit_entry.c.action == "schedule.run")
    )
    assert reason == "x" * MAX_REASON


def test_why_somebody_retries_or_cancels_is_kept(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    ada.press(ada.page("/occurrences/1/retry"), "/occurrences/1/retry", reason="disk is new")
    assert "put back by ada: disk is new" in {run.reason for run in world.runs()}
    ada.press(ada.page("/occurrences/1/cancel"), "/occurrences/1/cancel", reason="wrong disk")
    assert "cancelled by ada: wrong disk" in {run.reason for run in world.runs()}
    changes = ada.page("/audit")
    assert "disk is new" in changes
    assert "wrong disk" in changes


def test_missed_instants_are_run_from_their_page_after_a_preview(
    world: World, ada: Visitor
) -> None:
    world.define(a_schedule(cron="0 * * * *"), jobs=[a_job("content-features")])
    world.enable()
    world.tick(world.now + timedelta(hours=5, minutes=30))
    row = next(row for row in world.rows(sa.select(occurrence)) if row._mapping["count"] > 1)
    page = ada.page(f"/occurrences/{row.id}")
    assert f"Run these {row._mapping['count']} …" in page
    form = ada.page(f"/occurrences/{row.id}/slots")
    assert f"Run these {row._mapping['count']} instants of Daily?" in form
    ada.post("/schedules/daily/slots", at=re.findall('name="at" value="(.*?)"', form))
    assert len(world.runs()) >= row._mapping["count"]
    assert "Nothing is left to run" in ada.page(f"/occurrences/{row.id}/slots")
