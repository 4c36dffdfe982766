"""Running again what ended badly, and which runs made an occurrence as long as it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.visitor import Visitor, location
from tick.models import job_run
from tick.ops.queries.runs import Neighbour, RunRow
from webapp.charts import critical_path

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def _end(world: World, **statuses: str) -> None:
    with world.database.write.begin() as connection:
        for name, status in statuses.items():
            connection.execute(
                sa.update(job_run)
                .where(job_run.c.job_name == name.replace("_", "-"))
                .values(status=status, started_at=world.now, finished_at=world.now, attempt=1)
            )
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


def test_a_retry_is_refused_in_words_while_the_schedule_runs(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    ada.post("/schedules/daily/run")
    ada.post("/occurrences/1/retry")
    assert "is still running (occurrence 2)" in ada.page("/occurrences/1")
    ada.post("/occurrences/1/retry", override_overlap="on")
    assert _statuses(world)[:3] == ["SUCCESS", "QUEUED", "QUEUED"]


def test_one_run_is_retried_alone(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _end(world, content_features="SUCCESS", match_scores="FAILED", compatibility="SKIPPED")
    page = ada.page("/runs/2")
    ada.press(page, "/runs/2/retry")
    assert _statuses(world) == ["SUCCESS", "QUEUED", "SKIPPED"]
    assert "Run 2 is in the queue again." in ada.page("/runs/2")


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
    assert critical_path(runs, upstream, NOW) == {2, 3}


def test_a_run_at_work_is_on_the_critical_path() -> None:
    runs = [_run(1, -60, -50), _run(2, -50, None), _run(3, -60, -20)]
    assert critical_path(runs, _after({2: (1,)}), NOW) == {1, 2}


def test_there_is_no_critical_path_before_anything_started() -> None:
    assert critical_path([_run(1, None, None)], {}, NOW) == frozenset()
    assert critical_path([], {}, NOW) == frozenset()


def test_an_upstream_run_that_is_not_shown_ends_the_path() -> None:
    assert critical_path([_run(7, 0, 3)], _after({7: (1,)}), NOW) == {7}


def _after(edges: dict[int, tuple[int, ...]]) -> dict[int, tuple[Neighbour, ...]]:
    return {
        number: tuple(Neighbour(other, f"job-{other}", "SUCCESS", False) for other in others)
        for number, others in edges.items()
    }


def _run(number: int, start: int | None, end: int | None) -> RunRow:
    """A run with start and end in seconds from NOW; one that started and did not end runs."""
    status = "QUEUED" if start is None else "RUNNING" if end is None else "SUCCESS"
    values: dict[str, Any] = dict.fromkeys(RunRow.__dataclass_fields__)
    values |= {"id": number, "job_name": f"job-{number}", "status": status, "queued_at": NOW}
    values["started_at"] = None if start is None else NOW + timedelta(seconds=start)
    values["finished_at"] = None if end is None else NOW + timedelta(seconds=end)
    return RunRow(**values)
