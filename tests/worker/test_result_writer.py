"""What runs report is saved whole, or at least how they ended."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import Hands, only_postgres
from tests.support.factories import TESTER, a_job, a_schedule
from tests.worker.conftest import NOW, WorkWorld
from tick.engine.ledger.audit import Act
from tick.executors.executor import EndReport, LogReport, ProgressReport
from tick.executors.log_lines import Line
from tick.ops.actions import run_now
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.states import LogLevel
from tick.worker.result_writer import ClaimResult, ResultWriter


def test_lines_progress_and_the_end_are_saved_together(work: WorkWorld) -> None:
    run_id = work.order("add")
    (run,) = Hands(work).claim()
    results = ResultWriter(work.database, work.registry.jobs)
    results.add(
        [LogReport(run, [Line(NOW, LogLevel.INFO, "one")]), ProgressReport(run, 0.5, "half")]
    )
    results.add([LogReport(run, [Line(NOW, LogLevel.INFO, "two")])])
    results.add([EndReport(run, AttemptEnd(AttemptOutcome.RETURNED, result="1"))])
    results.save(NOW)
    assert not results.pending
    assert work.log(run_id) == [("info", "one"), ("info", "two")]
    assert (work.run(run_id).status, work.outcome(run_id)) == ("SUCCESS", "SUCCESS")
    assert (work.run(run_id).progress, work.run(run_id).progress_text) == (1.0, "half")


def test_ends_are_written_and_others_claimed_in_one_transaction(work: WorkWorld) -> None:
    first = work.order("add")
    hands = Hands(work)
    (run,) = hands.claim()
    second = work.order("add")
    results = ResultWriter(work.database, work.registry.jobs)
    results.add([EndReport(run, AttemptEnd(AttemptOutcome.RETURNED))])
    claimed = results.save_and_claim(NOW, claim=claiming(hands))
    assert [run.run_id for run in claimed] == [second]
    assert [work.run(run_id).status for run_id in (first, second)] == ["SUCCESS", "RUNNING"]
    assert results.settle(NOW)
    assert [work.outcome(run_id) for run_id in (first, second)] == ["SUCCESS", "RUNNING"]
    assert not results.pending


def test_only_an_end_makes_another_look_for_runs_worth_while(work: WorkWorld) -> None:
    work.define(a_schedule("all"), jobs=[a_job("one"), a_job("two")])
    run_now.run_all(work.database, Act(NOW, TESTER), work.registry)
    hands, results = Hands(work), ResultWriter(work.database, work.registry.jobs)
    run, _ = results.save_and_claim(NOW, claim=claiming(hands))
    assert not results.settle(NOW)
    results.add([EndReport(run, AttemptEnd(AttemptOutcome.RETURNED))])
    results.write(NOW)
    # Its occurrence lives on; what comes next in it may have waited for this run.
    assert results.settle(NOW)
    assert [row.outcome for row in work.occurrences()] == ["RUNNING"]


def test_a_claim_that_fails_leaves_the_ends_to_the_next_time(work: WorkWorld) -> None:
    run_id = work.order("add")
    (run,) = Hands(work).claim()
    results = ResultWriter(work.database, work.registry.jobs)
    results.add([EndReport(run, AttemptEnd(AttemptOutcome.RETURNED))])
    away = sa.exc.OperationalError("UPDATE", {}, Exception("away"))

    def fail(_connection: sa.Connection) -> ClaimResult:
        raise away

    with pytest.raises(sa.exc.OperationalError):
        results.save_and_claim(NOW, claim=fail)
    assert (work.run(run_id).status, results.pending) == ("RUNNING", True)
    results.save(NOW)
    assert (work.run(run_id).status, results.pending) == ("SUCCESS", False)


def test_a_database_that_is_away_takes_no_words_from_a_run(work: WorkWorld) -> None:
    run_id = work.order("add")
    (run,) = Hands(work).claim()
    results = ResultWriter(work.database, work.registry.jobs)
    results.add([LogReport(run, [Line(NOW, LogLevel.INFO, "one")])])
    results.add([EndReport(run, AttemptEnd(AttemptOutcome.RETURNED, result="1"))])

    def go_away(_connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO job_log"):
            raise sa.exc.OperationalError(statement, {}, Exception("away"))

    sa.event.listen(work.database.write, "before_cursor_execute", go_away)
    with pytest.raises(sa.exc.OperationalError):
        results.save(NOW)
    sa.event.remove(work.database.write, "before_cursor_execute", go_away)
    results.save(NOW)
    assert work.log(run_id) == [("info", "one")]
    assert (work.run(run_id).result, work.run(run_id).error_type) == ("1", None)


def claiming(hands: Hands) -> Callable[[sa.Connection], ClaimResult]:
    """A claim of everything that is ready."""

    def claim(connection: sa.Connection) -> ClaimResult:
        runs = hands.claim_in(connection)
        return ClaimResult(runs, {run.occurrence_id for run in runs})

    return claim


@only_postgres
def test_runs_made_ready_by_two_ends_are_claimed_once(
    work: WorkWorld,
) -> None:
    """Neither of two open transactions sees the other's end, so neither claims what is below."""
    jobs = [a_job("left"), a_job("right"), a_job("below", depends_on=["left", "right"])]
    work.define(a_schedule("all"), jobs=jobs)
    run_now.run_all(work.database, Act(NOW, TESTER), work.registry)
    claim = claiming(Hands(work))
    one, other = (
        ResultWriter(work.database, work.registry.jobs),
        ResultWriter(work.database, work.registry.jobs),
    )
    left, right = one.save_and_claim(NOW, claim=claim)
    one.add([EndReport(left, AttemptEnd(AttemptOutcome.RETURNED))])
    other.add([EndReport(right, AttemptEnd(AttemptOutcome.RETURNED))])

    def claim_while_the_other_does(connection: sa.Connection) -> ClaimResult:
        mine: list[ClaimResult] = []

        def claim_both(others: sa.Connection) -> ClaimResult:
            mine.append(claim(connection))
            return claim(others)

        assert other.save_and_claim(NOW, claim=claim_both) == []
        return mine[0]

    assert one.save_and_claim(NOW, claim=claim_while_the_other_does) == []
    assert one.settle(NOW)
    assert other.settle(NOW)
    below = [*one.save_and_claim(NOW, claim=claim), *other.save_and_claim(NOW, claim=claim)]
    assert [run.job_name for run in below] == ["below"]


def test_lines_of_a_claim_that_was_taken_back_are_left_out(work: WorkWorld) -> None:
    run_id = work.order("add")
    hands = Hands(work)
    (run,) = hands.claim()
    hands.end(run)
    results = ResultWriter(work.database, work.registry.jobs)
    results.add(
        [LogReport(run, [Line(NOW, LogLevel.INFO, "too late")]), ProgressReport(run, 0.1, "late")]
    )
    results.save(NOW)
    assert (work.log(run_id), work.run(run_id).progress) == ([], None)


def test_reports_under_an_older_claim_are_ignored(
    work: WorkWorld,
) -> None:
    run_id = work.order("add")
    hands = Hands(work)
    (run,) = hands.claim()
    hands.end(run, end=AttemptEnd(AttemptOutcome.RELEASED, reason="its worker stopped"))
    hands.claim()
    results = ResultWriter(work.database, work.registry.jobs)
    results.add(
        [LogReport(run, [Line(NOW, LogLevel.INFO, "too late")]), ProgressReport(run, 0.1, "late")]
    )
    results.add_starts([(run, time.monotonic())])
    results.save(NOW + timedelta(minutes=1))
    now = work.run(run_id)
    assert (now.status, now.fencing_token, now.started_at) == ("RUNNING", 2, NOW)
    assert (work.log(run_id), now.progress) == ([], None)


@only_postgres
def test_a_run_whose_words_cannot_be_stored_still_ends(work: WorkWorld) -> None:
    run_id = work.order("add")
    (run,) = Hands(work).claim()
    results = ResultWriter(work.database, work.registry.jobs)
    results.add([LogReport(run, [Line(NOW, LogLevel.INFO, "PostgreSQL refuses this: \0")])])
    results.add([EndReport(run, AttemptEnd(AttemptOutcome.RETURNED, result="1"))])
    results.save(NOW)
    assert (work.run(run_id).status, work.run(run_id).error_type) == ("SUCCESS", "Unstorable")
    assert work.log(run_id) == []


def test_a_run_started_when_it_began_not_when_it_was_claimed(work: WorkWorld) -> None:
    run_id = work.order("writes-down")
    (run,) = Hands(work).claim(ahead=True)
    results = ResultWriter(work.database, work.registry.jobs)
    results.add([EndReport(run, AttemptEnd(AttemptOutcome.RETURNED), began=100.0)])
    results.save(NOW + timedelta(minutes=1), moment=120.0)
    assert work.run(run_id).started_at == NOW + timedelta(seconds=40)
    assert work.run(run_id).finished_at == NOW + timedelta(minutes=1)


def test_a_run_never_ends_before_it_started(
    work: WorkWorld,
) -> None:
    run_id = work.order("writes-down")
    (run,) = Hands(work).claim(ahead=True)
    results = ResultWriter(work.database, work.registry.jobs)
    results.add([EndReport(run, AttemptEnd(AttemptOutcome.RETURNED), began=120.5)])
    results.save(NOW, moment=120.0)
    assert work.run(run_id).started_at == work.run(run_id).finished_at == NOW


def test_a_run_that_was_claimed_ahead_is_seen_to_start(work: WorkWorld) -> None:
    run_id = work.order("writes-down")
    (run,) = Hands(work).claim(ahead=True)
    results = ResultWriter(work.database, work.registry.jobs)
    results.add_starts([(run, time.monotonic())])
    results.save(NOW)
    assert work.run(run_id).started_at is not None
    assert (work.outcome(run_id), results.pending) == ("RUNNING", False)


def test_the_start_of_a_claim_that_was_taken_back_is_left_out(work: WorkWorld) -> None:
    run_id = work.order("writes-down")
    hands = Hands(work)
    (run,) = hands.claim(ahead=True)
    results = ResultWriter(work.database, work.registry.jobs)
    results.release([run], "its worker had no slot for it")
    results.save(NOW)
    results.add_starts([(run, time.monotonic())])
    results.save(NOW)
    assert (work.run(run_id).status, work.run(run_id).started_at) == ("QUEUED", None)
