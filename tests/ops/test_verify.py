"""The proof finds nothing where all is well, and names what is wrong where something is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.statistics.prune import Keep, prune_all
from tick.engine.statistics.prune_state import pruned_up_to
from tick.ops.actions import run_now
from tick.ops.reports.verify import Proof, verify
from tick.store.tables import (
    job_run,
    job_run_dependency,
    job_schedule,
    occurrence,
    schedule_version,
)

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_o = occurrence.c


@pytest.fixture
def day(world: World) -> World:
    """An hourly schedule of two jobs that ticked through a day, with an outage from 07 to 11."""
    world.define(
        a_schedule("hourly", cron="0 * * * *"), jobs=[a_job("a"), a_job("b", depends_on=["a"])]
    )
    world.enable("hourly")
    for hour in (0, 1, 2, 3, 4, 9, 10, 11, 12):
        world.tick(TWO + hour * HOUR + MINUTE)
        world.finish_runs()
    return world


def proof(world: World) -> Proof:
    return verify(world.database, TWO - DAY, world.now)


def tamper(world: World, statement: Any) -> None:
    with world.database.write.begin() as connection:
        assert connection.execute(statement).rowcount != 0


def messages(world: World) -> list[str]:
    found = proof(world)
    assert not found.ok
    return [violation.message for violation in found.violations]


def test_a_day_with_an_outage_is_proven(day: World) -> None:
    found = proof(day)
    assert (found.ok, found.schedules, found.instants) == (True, 1, 13)
    assert found.outcomes == {"SUCCESS": 9, "MISSED": 4}
    assert (found.waiting, found.off) == (0, 0)


def test_it_can_be_written_as_json(day: World) -> None:
    plain = proof(day).as_dict()
    assert plain["ok"] is True
    assert plain["outcomes"] == {"SUCCESS": 9, "MISSED": 4}
    assert plain["end"] == "2026-03-01T14:01:00+00:00"


def test_it_says_up_to_when_the_ledger_was_pruned_and_proves_what_is_left(day: World) -> None:
    day.now = TWO + 92 * DAY
    day.tick()
    keep = Keep(days=90, log_days=90, tick_days=90, statistics_days=90)
    assert prune_all(day.database.write, TWO + 90 * DAY + 4.5 * HOUR, keep)[1]
    found = proof(day)
    assert found.start == found.pruned_to == TWO + 4 * HOUR
    assert found.ok
    assert found.as_dict()["pruned_to"] == "2026-03-01T06:00:00+00:00"


def test_what_is_pruned_while_it_is_proven_is_still_seen(
    day: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_and_prune(connection: sa.Connection) -> datetime | None:
        found = pruned_up_to(connection)
        keep = Keep(days=90, log_days=90, tick_days=90, statistics_days=90)
        prune_all(day.database.write, TWO + 90 * DAY + 4.5 * HOUR, keep)
        return found

    monkeypatch.setattr("tick.ops.reports.verify.pruned_up_to", read_and_prune)
    found = proof(day)
    assert (found.violations, found.instants) == ((), 13)
    assert len(day.ledger("hourly")) < 10


def test_a_row_of_another_schedules_version_is_named(day: World) -> None:
    day.define(*day.schedules, a_schedule("other"))
    stranger = sa.select(sa.func.max(schedule_version.c.id)).scalar_subquery()
    tamper(day, sa.update(occurrence).where(_o.id == 1).values(version_id=stranger))
    assert messages(day) == [
        "row 1 (SUCCESS) stems from no version of it",
        "1 instants are missing in the ledger from here on",
    ]


def test_what_is_due_and_not_ticked_yet_is_waiting(day: World) -> None:
    day.now += 2 * HOUR
    found = proof(day)
    assert (found.ok, found.waiting) == (True, 2)


def test_what_passes_while_a_schedule_is_off_is_explained(day: World) -> None:
    day.disable("hourly")
    day.now += 2 * HOUR
    found = proof(day)
    assert (found.ok, found.off, found.waiting) == (True, 2, 0)


def test_a_window_may_cut_a_row_that_stands_for_many(day: World) -> None:
    found = verify(day.database, TWO + 5 * HOUR, TWO + 7 * HOUR)
    assert (found.ok, found.instants, found.outcomes) == (True, 2, {"MISSED": 2})


def test_versions_are_each_held_to_their_own_rule(day: World) -> None:
    day.define(a_schedule("hourly", cron="30 * * * *"))
    day.tick(TWO + 12 * HOUR + 31 * MINUTE)
    day.define(a_schedule("hourly", cron="45 */2 * * *"))
    day.tick(TWO + 12 * HOUR + 46 * MINUTE)
    found = proof(day)
    assert (found.ok, found.instants) == (True, 15)


def test_slots_run_by_hand_and_rows_split_by_them_are_proven(day: World) -> None:
    run_now.run_slots(day.database, Act(day.now, TESTER), "hourly", [TWO + 6 * HOUR])
    run_now.run_slots(day.database, Act(day.now, TESTER), "hourly", [TWO - 3 * DAY])
    run_now.run_schedule(day.database, Act(day.now, TESTER), "hourly", override_overlap=True)
    found = proof(day)
    assert found.violations == ()
    assert found.instants == 13


def test_a_used_up_limit_is_explained(world: World) -> None:
    world.define(a_schedule("hourly", cron="0 * * * *", max_runs=1))
    world.enable("hourly")
    world.tick(TWO)
    world.now += 5 * HOUR
    found = proof(world)
    assert (found.ok, found.waiting) == (True, 0)


def test_a_lost_row_is_a_gap_and_the_first_instant_is_named(day: World) -> None:
    tamper(day, sa.delete(occurrence).where(_o.scheduled_for == TWO + 2 * HOUR))
    (violation,) = proof(day).violations
    assert violation.at == TWO + 2 * HOUR
    assert violation.message == "1 instants are missing in the ledger from here on"


def test_a_shortened_range_is_found(day: World) -> None:
    tamper(day, sa.update(occurrence).where(_o.outcome == "MISSED").values(count=3))
    assert "stands for 3 instants" in messages(day)[0]


def test_an_instant_that_the_rule_does_not_have_is_found(day: World) -> None:
    tamper(
        day,
        sa.update(occurrence).where(_o.scheduled_for == TWO).values(scheduled_for=TWO + MINUTE),
    )
    assert any("its rule has 0 there" in text for text in messages(day))


@pytest.mark.parametrize("hour", [6, 8])
def test_an_instant_decided_twice_is_found(day: World, hour: int) -> None:
    twice = {
        "schedule_id": "hourly",
        "version_id": 1,
        "kind": "CRON",
        "outcome": "SUCCESS",
        "scheduled_for": TWO + hour * HOUR,
        "tick_id": "x",
        "decided_at": TWO,
    }
    tamper(day, sa.insert(occurrence).values(twice))
    assert any("decided twice: by row" in text for text in messages(day))


@pytest.mark.parametrize(
    ("next_run_at", "said"), [(None, "never"), (TWO + 14 * HOUR, "2026-03-01 16:00:00 UTC")]
)
def test_a_schedule_that_would_never_be_due_again_or_too_late_is_found(
    day: World, next_run_at: datetime | None, said: str
) -> None:
    tamper(day, sa.update(job_schedule).values(next_run_at=next_run_at))
    day.now += HOUR
    assert messages(day) == [f"never due: the next run is {said}"]


def test_an_instant_that_another_version_decided_is_found(day: World) -> None:
    day.define(a_schedule("hourly", cron="*/30 * * * *"))
    later = sa.select(sa.func.max(schedule_version.c.id)).scalar_subquery()
    tamper(day, sa.update(occurrence).where(_o.scheduled_for == TWO).values(version_id=later))
    said = "decided by a rule that was not in force then"
    assert messages(day) == [said]
    before_the_outage = verify(day.database, TWO - MINUTE, TWO + 4 * HOUR)
    assert [violation.message for violation in before_the_outage.violations] == [said]


def test_a_lost_run_is_found(day: World) -> None:
    tamper(day, sa.delete(job_run).where(job_run.c.job_name == "b", job_run.c.scheduled_for == TWO))
    assert messages(day) == ["row 1 (SUCCESS) has 1 runs of 1 jobs instead of 2"]


def test_one_job_twice_instead_of_two_is_found(day: World) -> None:
    second = (job_run.c.job_name == "b", job_run.c.scheduled_for == TWO)
    tamper(day, sa.update(job_run).where(*second).values(job_name="a", schedule_id=None))
    assert messages(day) == ["row 1 (SUCCESS) has 2 runs of 1 jobs instead of 2"]


def test_a_lost_dependency_is_found(day: World) -> None:
    first = sa.select(job_run.c.id).where(job_run.c.scheduled_for == TWO)
    tamper(day, sa.delete(job_run_dependency).where(job_run_dependency.c.run_id.in_(first)))
    assert messages(day) == ["row 1 lacks dependencies between its runs"]


def test_runs_of_what_did_not_fire_are_found(day: World) -> None:
    missed = sa.select(_o.id).where(_o.outcome == "MISSED").scalar_subquery()
    tamper(
        day,
        sa.update(job_run)
        .where(job_run.c.job_name == "b", job_run.c.scheduled_for == TWO)
        .values(occurrence_id=missed),
    )
    assert len(messages(day)) == 2


FIRST = job_run.c.scheduled_for == TWO
B = (FIRST, job_run.c.job_name == "b")
ROW = _o.scheduled_for == TWO
LIES = {
    "a run of another instant": (
        sa.update(job_run).where(*B).values(scheduled_for=TWO + MINUTE),
        "run 2 of row 1 (SUCCESS) says that it is of hourly, due at 2026-03-01 02:01:00 UTC",
    ),
    "a run of no schedule": (
        sa.update(job_run).where(*B).values(schedule_id=None),
        "run 2 of row 1 (SUCCESS) says that it is of no schedule, due at 2026-03-01 02:00:00 UTC",
    ),
    "a run of another job": (
        sa.update(job_run).where(*B).values(job_name="c"),
        "run 2 of row 1 (SUCCESS) is of c, which it does not fire",
    ),
    "a failure that nobody had": (
        sa.update(occurrence).where(ROW).values(outcome="FAILED"),
        "row 1 (FAILED) contradicts its runs, which come to SUCCESS",
    ),
    "a success that nobody had": (
        sa.update(job_run).where(*B).values(status="CANCELLED"),
        "row 1 (SUCCESS) contradicts its runs, which come to CANCELLED",
    ),
    "a count of failures": (
        sa.update(occurrence).where(ROW).values(failed=2),
        "row 1 (SUCCESS) counts 2 failed of its runs, and 0 are",
    ),
    "an earlier start": (
        sa.update(occurrence).where(ROW).values(first_started_at=TWO),
        "row 1 (SUCCESS) began at 2026-03-01 02:00:00 UTC, and the first of its runs at no time",
    ),
    "a later end": (
        sa.update(occurrence).where(ROW).values(last_finished_at=TWO + HOUR),
        "row 1 (SUCCESS) ended at 2026-03-01 03:00:00 UTC, "
        "and the last of its runs at 2026-03-01 02:01:00 UTC",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_row_says_of_its_runs_is_held_to_them(day: World, lie: str) -> None:
    statement, message = LIES[lie]
    tamper(day, statement)
    found = proof(day).violations
    assert (found[0].schedule_id, found[0].at, found[0].message) == ("hourly", TWO, message)


def test_a_row_of_what_was_run_by_hand_is_held_to_its_runs_too(day: World) -> None:
    run_now.run_schedule(day.database, Act(day.now, TESTER), "hourly", override_overlap=True)
    day.finish_runs()
    assert proof(day).ok
    tamper(day, sa.update(occurrence).where(_o.scheduled_for.is_(None)).values(succeeded=1))
    (violation,) = proof(day).violations
    assert violation.at == day.now
    assert "counts 1 succeeded of its runs, and 2 are" in violation.message


def test_no_more_than_a_hundred_violations_are_listed(world: World) -> None:
    world.define(a_schedule("often", cron="*/5 * * * *"))
    world.enable("often")
    for number in range(120):
        world.tick(TWO + number * 5 * MINUTE)
        world.finish_runs()
    tamper(world, sa.delete(job_run))
    assert len(proof(world).violations) == 100
