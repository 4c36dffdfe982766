"""How many runs may run at one time: never more, whoever claims."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import RETURNED, Hands, ending, only_postgres
from tests.support.factories import TESTER, World, a_job
from tick.engine.ledger.audit import Act
from tick.engine.runs.claim import claim_runs
from tick.engine.runs.finish import finish_runs
from tick.engine.runs.limits import acquire_capacity, find_limits
from tick.engine.runs.queues import pause_queue, resume_queue
from tick.errors import DefinitionsInvalid
from tick.executors.claimed_run import ClaimedRun
from tick.ops.actions import run_now
from tick.settings import Settings
from tick.store.tables import job_run

JOBS = (
    a_job("alone", group="feed", max_concurrent=1),
    a_job("pair", group="feed", max_concurrent=2),
    a_job("slow", group="media", queue="media", priority=5),
    a_job("free", group="quiz"),
)
SETTINGS = Settings(group_limits={"feed": 2}, queue_limits={"media": 3})
LIMITS = find_limits(JOBS, SETTINGS)


def ordered(world: World, times: int, *names: str) -> World:
    """The world in which these jobs (by default all) were asked for so many times."""
    world.jobs = [job for job in JOBS if not names or job.name in names]
    for _ in range(times):
        run_now.run_all(world.database, Act(world.now, TESTER), world.registry)
    return world


class Claimer(Hands):
    """A worker that heeds the limits."""

    def claim_within(self, limit: int = 100) -> list[str]:
        """Claim by turns; the names of the jobs."""
        with self.world.database.write.begin() as connection:
            return [run.job_name for run in self.claim_in_turn(connection, limit)]

    def claim_in_turn(self, connection: sa.Connection, limit: int = 100) -> list[ClaimedRun]:
        """The same in a transaction that the test keeps open; the clock is read in the turn."""
        capacity = acquire_capacity(connection, LIMITS)
        return claim_runs(
            connection,
            worker_id=self.worker_id,
            now=datetime.now(UTC),
            limit=limit,
            jobs=self.world.registry.jobs,
            capacity=capacity,
        )


def test_limits_are_those_of_jobs_groups_and_queues() -> None:
    assert LIMITS == {
        ("job_name", "alone"): 1,
        ("job_name", "pair"): 2,
        ("job_group", "feed"): 2,
        ("queue", "media"): 3,
    }


def test_a_claim_takes_the_most_urgent_for_which_there_is_room(world: World) -> None:
    claimer = Claimer(ordered(world, 5))
    claimed = claimer.claim_within()
    # One turn for the group: of "alone" its one, of "pair" what the group still has room for.
    assert sorted(claimed) == ["alone"] + ["free"] * 5 + ["pair"] + ["slow"] * 3
    assert claimed[:3] == ["slow"] * 3
    assert claimer.claim_within() == []


def test_a_claim_goes_on_past_runs_without_room_until_it_has_enough(world: World) -> None:
    claimer = Claimer(ordered(ordered(world, 20, "alone"), 9, "free"))
    world.jobs = JOBS
    assert claimer.claim_within(limit=4) == ["alone", "free", "free", "free"]


def test_room_that_is_free_again_is_filled_again(world: World) -> None:
    claimer = Claimer(ordered(world, 3, "alone"))
    for _ in range(3):
        with world.database.write.begin() as connection:
            (run,) = claimer.claim_in_turn(connection)
        assert claimer.claim_within() == []
        claimer.end(run)


def test_what_runs_elsewhere_counts(world: World) -> None:
    ordered(world, 2, "slow")
    Claimer(world).claim_within()
    ordered(world, 5, "slow")
    assert Claimer(world).claim_within() == ["slow"]


def test_without_limits_nobody_waits_for_a_turn(world: World) -> None:
    with world.database.write.begin() as connection:
        assert acquire_capacity(connection, {}) is None


@only_postgres
def test_a_claim_waits_for_the_turn_before_it(world: World) -> None:
    ordered(world, 4, "pair")
    one, other = Claimer(world), Claimer(world)
    with ThreadPoolExecutor(1) as thread:
        with world.database.write.begin() as connection:
            first = one.claim_in_turn(connection, 1)
            second = thread.submit(other.claim_within, 4)
            with pytest.raises(TimeoutError):
                second.result(0.3)
        assert (len(first), len(second.result())) == (1, 1)


def work_off(claimer: Claimer) -> int:
    """Claim and end until nothing is left; how many."""
    done = 0
    database = claimer.world.database
    unfinished = sa.select(sa.func.count()).where(job_run.c.status.in_(["QUEUED", "RUNNING"]))
    while claimer.world.rows(unfinished)[0][0]:
        with database.write.begin() as connection:
            runs = claimer.claim_in_turn(connection, 3)
        now = datetime.now(UTC)
        with database.write.begin() as connection:
            finish_runs(connection, [ending(run, RETURNED) for run in runs], now)
        done += len(runs)
    return done


def most_at_once(rows: Iterable[sa.Row[Any]]) -> int:
    """The largest number of these runs between their start and their finish at one instant."""
    moves = [(row.finished_at, -1) for row in rows] + [(row.started_at, 1) for row in rows]
    return max(accumulate(change for _, change in sorted(moves)))


def test_many_workers_never_exceed_a_limit_at_any_instant(world: World) -> None:
    ordered(world, 30)
    claimers = [Claimer(world) for _ in range(6)]
    with ThreadPoolExecutor(len(claimers)) as threads:
        done = list(threads.map(work_off, claimers))
    assert sum(done) == 120
    runs = world.runs()
    assert {run.status for run in runs} == {"SUCCESS"}
    for (column, name), most in LIMITS.items():
        assert most_at_once([run for run in runs if run._mapping[column] == name]) <= most


def test_no_run_of_a_paused_queue_is_claimed(world: World) -> None:
    claimer = Claimer(ordered(world, 1, "slow", "free"))
    with world.database.write.begin() as connection:
        assert pause_queue(connection, "media", "full disk", Act(world.now, TESTER))
        assert not pause_queue(connection, "media", "again", Act(world.now, TESTER))
    assert claimer.claim_names() == ["free"]
    assert claimer.claim_within() == []
    with world.database.write.begin() as connection:
        assert resume_queue(connection, "media")
        assert not resume_queue(connection, "media")
    assert claimer.claim_within() == ["slow"]


def test_a_limit_below_one_is_a_mistake(world: World) -> None:
    world.jobs = [a_job("never", max_concurrent=0)]
    with pytest.raises(DefinitionsInvalid, match="max_concurrent must be at least 1"):
        _ = world.registry
