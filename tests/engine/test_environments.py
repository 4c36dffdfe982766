"""A database belongs to an environment: nothing of another one ticks, syncs or works on it."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule, a_worker
from tests.support.inline import InlineExecutor
from tick.engine.ledger.audit import Act
from tick.engine.ledger.environment import NAME, stored_environment
from tick.errors import InvalidInput, Refused, WrongEnvironment
from tick.ops.actions import backfill as backfills
from tick.ops.actions import custom_schedules, run_now
from tick.ops.actions.environments import EnvironmentChanged, change_environment
from tick.ops.reports.deploy_plan import Plan, plan_deploy
from tick.ops.reports.verify import verify
from tick.stop import Stop
from tick.store.tables import audit_entry, backfill, job_run, setting, worker_instance
from tick.syncing import ensure_synced
from tick.ticks.loop import Loop
from tick.worker.worker import Worker

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
BOTH: dict[str, dict[str, Any]] = {"production": {}, "staging": {"cron": "0 3 * * *"}}
SAID = (
    "This process is set to environment staging, and the database belongs to production: set "
    "TICK_ENVIRONMENT=production, or TICK_DATABASE_URL to the database of staging; if this is a "
    "copy that staging is to have, run `tick db environment staging --from production`."
)


@pytest.fixture
def production(world: World) -> World:
    """Production's database, with one schedule that is on."""
    world.define(a_schedule(), jobs=[a_job("match")])
    world.enable()
    return world


def staging(world: World) -> World:
    """The same database and definitions, for processes that are set to staging."""
    settings = world.settings.model_copy(update={"environment": "staging"})
    there = World(world.database, world.now, settings, world.jobs, world.schedules)
    return there


def stored(world: World) -> str | None:
    with world.database.read.connect() as connection:
        return stored_environment(connection)


def hand_over(world: World, name: str = "staging", old: str = "production") -> EnvironmentChanged:
    act = Act(world.now, TESTER)
    return change_environment(world.database, act, name, old=old, dead_after_seconds=90)


def audited(world: World, action: str) -> list[sa.Row[Any]]:
    return world.rows(sa.select(audit_entry).where(audit_entry.c.action == action))


def plan(world: World) -> Plan:
    with world.database.read.connect() as connection:
        return plan_deploy(connection, world.registry, world.now)


def test_the_first_sync_gives_the_database_to_its_environment_once(production: World) -> None:
    assert stored(production) == "production"
    production.define(a_schedule(cron="0 4 * * *"))
    (entry,) = audited(production, "environment.set")
    assert (entry.actor, entry.subject) == ("tester", "database")
    assert entry.after == {"environment": "production"}


def test_a_sync_for_another_environment_is_refused_with_both_names(production: World) -> None:
    with pytest.raises(WrongEnvironment) as caught:
        staging(production).define(a_schedule(cron="0 4 * * *"))
    assert str(caught.value) == SAID
    with pytest.raises(WrongEnvironment):
        ensure_synced(staging(production).runtime, production.now)
    assert f"{production.schedule().next_run_at:%H}" == "02"


def test_a_tick_of_another_environment_decides_nothing(production: World) -> None:
    with pytest.raises(WrongEnvironment) as caught:
        staging(production).tick(TWO + MINUTE)
    assert str(caught.value) == SAID
    assert production.ledger() == []
    production.tick(TWO + MINUTE)
    assert [outcome for outcome, _, _ in production.ledger()] == ["QUEUED"]


def test_a_database_of_a_release_that_knew_no_environments_ticks_and_is_taken(
    production: World,
) -> None:
    with production.database.write.begin() as connection:
        connection.execute(sa.delete(setting).where(setting.c.name == NAME))
    production.tick(TWO + MINUTE)
    assert len(production.ledger()) == 1
    assert stored(production) is None
    ensure_synced(production.runtime, production.now)
    assert stored(production) == "production"
    assert len(audited(production, "environment.set")) == 2


def test_a_loop_of_another_environment_ends_with_the_sentence(production: World) -> None:
    loop = Loop(staging(production).runtime)
    with pytest.raises(WrongEnvironment, match="belongs to production"):
        loop.serve(threading.Event())
    assert production.rows(sa.select(worker_instance)) == []


def a_worker_of(world: World) -> Worker:
    def clock() -> datetime:
        return world.now

    return Worker(world.runtime, executor=InlineExecutor(world.registry, clock), now=clock)


def test_a_worker_of_another_environment_claims_nothing_and_ends(production: World) -> None:
    run_now.run_schedule(production.database, Act(production.now, TESTER), "daily")
    with pytest.raises(WrongEnvironment, match="belongs to production"):
        a_worker_of(staging(production)).serve(Stop())
    assert [run.status for run in production.runs()] == ["QUEUED"]
    assert production.rows(sa.select(worker_instance)) == []


def test_a_worker_whose_database_is_handed_over_takes_nothing_new_and_ends(
    production: World,
) -> None:
    worker = a_worker_of(production)
    assert worker.run_once(production.now) == 0
    with production.database.write.begin() as connection:
        connection.execute(sa.update(setting).where(setting.c.name == NAME).values(value="staging"))
    run_now.run_schedule(production.database, Act(production.now, TESTER), "daily")
    with pytest.raises(WrongEnvironment, match="belongs to staging"):
        worker.serve(Stop())
    assert [run.status for run in production.runs()] == ["QUEUED"]
    assert [row.status for row in production.rows(sa.select(worker_instance))] == ["STOPPED"]


def test_handing_over_switches_everything_off_and_cancels_what_waits(production: World) -> None:
    production.define(a_schedule(), a_schedule("weekly", cron="0 3 * * 0"))
    run_now.run_schedule(production.database, Act(production.now, TESTER), "daily")
    assert hand_over(production) == EnvironmentChanged("staging", 1, 1)
    assert stored(production) == "staging"
    row = production.schedule()
    assert (row.enabled, row.enabled_by, row.next_run_at) == (False, "tester", None)
    (run,) = production.runs()
    assert run.status == "CANCELLED"
    assert "as the database went from production to staging" in run.reason
    assert [outcome for outcome, _, _ in production.ledger()] == ["CANCELLED"]
    (entry,) = audited(production, "environment.change")
    assert entry.before == {"environment": "production"}
    assert entry.after == {"environment": "staging", "switched_off": ["daily"], "cancelled": 1}


def test_a_backfill_does_not_go_on_after_handing_over(production: World) -> None:
    production.tick(TWO + 3 * DAY + MINUTE)
    production.finish_runs()
    act = Act(production.now, TESTER, reason="so")
    backfills.start_backfill(
        production.database, act, "daily", start=TWO - MINUTE, end=TWO + 2 * DAY
    )
    hand_over(production)
    staging(production).tick(production.now + MINUTE)
    assert [row.state for row in production.rows(sa.select(backfill))] == ["CANCELLED"]
    assert "QUEUED" not in [run.status for run in production.runs()]


def test_what_a_dead_worker_had_in_hand_is_not_run_again_after_handing_over(
    production: World,
) -> None:
    production.define(a_schedule(), jobs=[a_job("match", idempotent=True)])
    run_now.run_schedule(production.database, Act(production.now, TESTER), "daily")
    with production.database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance).values(**a_worker(production.now - DAY)))
        claimed = {"status": "RUNNING", "worker_id": "c0ffee", "attempt": 1}
        connection.execute(sa.update(job_run).values(claimed))
    hand_over(production)
    there = staging(production)
    there.tick(production.now + MINUTE)
    assert [run.status for run in there.runs()] == ["CANCELLED"]


def test_after_handing_over_only_what_is_switched_on_again_fires(production: World) -> None:
    start = production.now
    production.tick(TWO + MINUTE)
    production.finish_runs()
    production.now += 3 * DAY
    hand_over(production)
    there = staging(production)
    there.define(a_schedule(environments=BOTH), jobs=[a_job("match")])
    there.enable()
    assert f"{there.schedule().next_run_at:%d %H}" == "04 03"
    there.tick(there.schedule().next_run_at + MINUTE)
    outcomes = [outcome for outcome, _, _ in there.ledger()]
    assert outcomes == ["SUCCESS", "SUPPRESSED", "QUEUED"]
    assert verify(there.database, start, there.now).ok


def test_handing_over_is_refused_with_what_stands_in_the_way(production: World) -> None:
    with pytest.raises(Refused, match="belongs to production, not to demo: --from production"):
        hand_over(production, "staging", old="demo")
    with pytest.raises(Refused, match="belongs to production already"):
        hand_over(production, "production")
    with production.database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance).values(**a_worker(production.now)))
    with pytest.raises(Refused, match=r"job_worker c0ffee.*stop them"):
        hand_over(production)
    assert (stored(production), production.schedule().enabled) == ("production", True)


def test_a_database_that_belongs_to_none_is_not_handed_over(world: World) -> None:
    with pytest.raises(Refused, match="belongs to no environment yet"):
        hand_over(world)


def test_a_schedule_that_no_longer_exists_here_is_removed_and_may_return(
    production: World,
) -> None:
    found = plan_of(production, a_schedule(environments=["staging"]), a_schedule("other"))
    assert found.elsewhere == {"daily": ("staging",)}
    what = next(each.what for each in found.changes if each.schedule_id == "daily")
    assert what == ("removed: it exists in staging only; it stops firing, its history stays",)
    production.define(*production.schedules)
    row = production.schedule()
    assert row.state == "REMOVED"
    assert row.state_reason.startswith("not in production, but in staging, since generation")
    production.define(a_schedule(environments=["staging", "production"]))
    row = production.schedule()
    assert (row.state, row.enabled) == ("ACTIVE", True)
    assert row.environments == {"staging": {}, "production": {}}


def plan_of(world: World, *schedules: Any) -> Plan:
    world.schedules = schedules
    return plan(world)


def test_the_plan_names_what_differs_here_and_a_database_that_is_anothers(
    production: World,
) -> None:
    found = plan_of(production, a_schedule(environments={**BOTH, "production": {"jitter": 60}}))
    assert found.environment == "production"
    assert "production has its own jitter" in found.changes[0].what
    assert found.wrong_environment is None
    assert plan(staging(production)).wrong_environment == SAID


def test_naming_another_environment_changes_only_what_is_shown(production: World) -> None:
    before = production.schedule()
    found = plan_of(production, a_schedule(environments=BOTH))
    assert found.changes[0].what == ("its name, description, alerts or environments change",)
    production.define(*production.schedules)
    after = production.schedule()
    assert (after.version_id, after.next_run_at) == (before.version_id, before.next_run_at)
    assert after.environments == BOTH
    assert plan(production).changes_nothing


LATE = {"name": "Late", "cron": "0 20 * * *", "job": "match"}


def make(world: World, **more: Any) -> str:
    act = Act(world.now, TESTER)
    return custom_schedules.create_schedule(world.database, act, world.registry, LATE | more)


def test_a_schedule_by_hand_exists_everywhere_unless_it_is_told(production: World) -> None:
    make(production)
    make(production, name="Here", environments={"production": {"cron": "0 21 * * *"}})
    make(production, name="Both", environments=["production", "staging"])
    assert production.schedule("here").environments == {"production": {"cron": "0 21 * * *"}}
    hand_over(production)
    there = staging(production)
    there.schedules = [a_schedule(cron="0 4 * * *")]
    there.define(*there.schedules)
    states = {id: there.schedule(id).state for id in ("late", "here", "both")}
    assert states == {"late": "ACTIVE", "here": "ERROR", "both": "ACTIVE"}
    assert "does not exist in staging, which this is" in there.schedule("here").state_reason


def test_a_schedule_by_hand_that_would_not_exist_here_is_refused(production: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(production, environments=["staging"])
    (mistake,) = caught.value.mistakes
    assert mistake[0] == "body.environments"
    assert "it does not exist in production, which this is" in mistake[1]


def test_an_edit_of_a_schedule_by_hand_keeps_what_other_environments_have(
    production: World,
) -> None:
    make(production, environments={"production": {"cron": "0 21 * * *"}, "staging": {}})
    act = Act(production.now, TESTER)
    given = {"description": "so"}
    custom_schedules.edit_schedule(production.database, act, "late", production.registry, given)
    row = production.schedule("late")
    assert row.environments == {"production": {"cron": "0 21 * * *"}, "staging": {}}
    production.enable("late")
    assert f"{production.schedule('late').next_run_at:%H}" == "21"
