"""What runs report is saved whole, or at least how they ended."""

from tests.engine.worker_steps import Hands, only_postgres
from tests.worker.conftest import NOW, WorkWorld
from tick.engine.lines import Line
from tick.engine.report import Ended, Progressed, Said
from tick.policy.retry import AttemptEnd, How
from tick.saver import Saver
from tick.states import LogLevel


def test_lines_progress_and_the_end_are_saved_together(work: WorkWorld) -> None:
    run_id = work.order("add")
    (run,) = Hands(work).claim()
    saver = Saver(work.database, work.registry.jobs)
    saver.add([Said(run, [Line(NOW, LogLevel.INFO, "one")]), Progressed(run, 0.5, "half")])
    saver.add([Said(run, [Line(NOW, LogLevel.INFO, "two")])])
    saver.add([Ended(run, AttemptEnd(How.RETURNED, result="1"))])
    saver.save(NOW)
    assert not saver.pending
    assert work.log(run_id) == [("info", "one"), ("info", "two")]
    assert (work.run(run_id).status, work.outcome(run_id)) == ("SUCCESS", "SUCCESS")
    assert (work.run(run_id).progress, work.run(run_id).progress_text) == (1.0, "half")


def test_lines_of_a_claim_that_was_taken_back_are_left_out(work: WorkWorld) -> None:
    run_id = work.order("add")
    hands = Hands(work)
    (run,) = hands.claim()
    hands.end(run)
    saver = Saver(work.database, work.registry.jobs)
    saver.add([Said(run, [Line(NOW, LogLevel.INFO, "too late")]), Progressed(run, 0.1, "late")])
    saver.save(NOW)
    assert (work.log(run_id), work.run(run_id).progress) == ([], None)


@only_postgres
def test_a_run_whose_words_cannot_be_stored_still_ends(work: WorkWorld) -> None:
    run_id = work.order("add")
    (run,) = Hands(work).claim()
    saver = Saver(work.database, work.registry.jobs)
    saver.add([Said(run, [Line(NOW, LogLevel.INFO, "PostgreSQL refuses this: \0")])])
    saver.add([Ended(run, AttemptEnd(How.RETURNED, result="1"))])
    saver.save(NOW)
    assert (work.run(run_id).status, work.run(run_id).error_type) == ("SUCCESS", "Unstorable")
    assert work.log(run_id) == []
