"""A rule that raises, or that a newer release wrote, stops neither a tick nor a deploy."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.schedules import lifecycle
from tick.ops.actions import switches
from tick.ops.reports.dry_run import dry_run
from tick.policy.rule import RULE_FORMAT
from tick.store.tables import job_run, schedule_version
from tick.ticks import tick
from tick.ticks.tick import run_tick

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NO_SUCH_ZONE = {"timezone": "Mars/Phobos"}
BROKEN = [NO_SUCH_ZONE, {"unheard_of": 1}, {"grace_seconds": float("inf")}]


@pytest.fixture
def pair(world: World) -> World:
    """Two schedules of every minute, on: the rule of `bad` can be broken, `good` stays well."""
    world.define(minutely("bad"), minutely("good"))
    world.enable("bad")
    world.enable("good")
    return world


def minutely(schedule_id: str, cron: str = "* * * * *") -> Any:
    return a_schedule(schedule_id, cron=cron, overlap="ALLOW")


def rewrite(world: World, rule: dict[str, Any], **version: Any) -> None:
    """Change the stored rule of `bad`, past all checks."""
    v = schedule_version.c
    with world.database.write.begin() as connection:
        mine = v.schedule_id == "bad"
        stored = json.loads(connection.execute(sa.select(v.rule).where(mine)).scalar_one())
        text = json.dumps(stored | rule)
        connection.execute(
            sa.update(schedule_version).where(mine).values(rule=text, rule_key="bad", **version)
        )


def give_up_on_bad(world: World) -> None:
    """Tick until `bad` is in ERROR; the last tick is at `world.now`."""
    for minute in range(0, 90, 2):
        world.tick(TWO + minute * MINUTE)
        if world.schedule("bad").state == "ERROR":
            return
    raise AssertionError("it never came to ERROR")


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_ends_in_error_and_stops_only_itself(
    pair: World, rule: dict[str, Any]
) -> None:
    rewrite(pair, rule)
    give_up_on_bad(pair)
    assert pair.schedule("bad").fire_errors == lifecycle.MAX_FIRE_ERRORS
    assert pair.schedule("good").decided_to == pair.now
    assert pair.tick(pair.now + MINUTE).errors == {}


def test_what_a_rule_can_still_tell_is_written_as_failed(pair: World) -> None:
    rewrite(pair, {"grace_seconds": float("inf")})
    give_up_on_bad(pair)
    ((outcome, first, count),) = pair.ledger("bad")
    assert (outcome, first) == ("FIRE_FAILED", TWO)
    assert count == (pair.now - TWO) / MINUTE + 1


def test_a_pause_of_a_broken_rule_ends_without_stopping_the_others(pair: World) -> None:
    for name in ("bad", "good"):
        switches.pause_schedule(
            pair.database, Act(pair.now, TESTER, reason="moving"), name, until=TWO
        )
    rewrite(pair, NO_SUCH_ZONE)
    result = pair.tick(TWO)
    assert [line.schedule_id for line in result.fired] == ["good"]
    assert list(result.errors) == ["bad"]
    assert pair.schedule("bad").fire_errors == 1


def test_pauses_that_cannot_be_ended_are_told_and_stop_nothing_else(
    pair: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("no pause can be read")

    switches.pause_schedule(pair.database, Act(pair.now, TESTER, reason="moving"), "bad", until=TWO)
    monkeypatch.setattr(tick, "end_pauses", fail)
    result = pair.tick(TWO)
    assert result.errors == {"(pauses)": "RuntimeError: no pause can be read"}
    assert [line.schedule_id for line in result.fired] == ["good"]


def test_pauses_that_nobody_holds_end_beside_one_that_is_held(pair: World) -> None:
    if pair.database.write.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    for name in ("bad", "good"):
        switches.pause_schedule(
            pair.database, Act(pair.now, TESTER, reason="moving"), name, until=TWO
        )
    held = sa.text("SELECT id FROM job_schedule WHERE id = 'bad' FOR UPDATE")
    with pair.database.write.begin() as rival:
        rival.execute(held)
        run_tick(pair.runtime, TWO, budget_seconds=0.5)
        assert pair.ledger("good") == [("QUEUED", TWO, 1)]
        assert pair.schedule("bad").state == "PAUSED"
    pair.tick(TWO)
    assert pair.ledger("bad") == [("QUEUED", TWO, 1)]


@pytest.mark.parametrize("rule", BROKEN)
def test_a_mended_definition_can_be_deployed(pair: World, rule: dict[str, Any]) -> None:
    rewrite(pair, rule, digest="another")
    pair.now = TWO + MINUTE
    pair.define(minutely("bad", "*/5 * * * *"), minutely("good"), minutely("new"))
    row = pair.schedule("bad")
    assert (row.state, row.fire_errors, row.next_run_at) == ("ACTIVE", 0, TWO + 5 * MINUTE)
    assert pair.tick(TWO + 5 * MINUTE).errors == {}
    assert pair.ledger("bad")[-1] == ("QUEUED", TWO + 5 * MINUTE, 1)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_schedule_with_a_broken_rule_can_be_removed_and_come_back_mended(
    pair: World, rule: dict[str, Any]
) -> None:
    rewrite(pair, rule, digest="another")
    pair.now = TWO
    pair.define(minutely("good"))
    pair.now = TWO + HOUR
    pair.define(minutely("good"), minutely("bad"))
    assert pair.tick(TWO + HOUR + MINUTE).errors == {}
    assert pair.ledger("bad")[-1] == ("QUEUED", TWO + HOUR + MINUTE, 1)


def test_a_refused_firing_does_not_block_the_mended_target(
    pair: World,
) -> None:
    with pair.database.write.begin() as connection:
        connection.execute(
            sa.update(schedule_version)
            .where(schedule_version.c.schedule_id == "bad")
            .values(target='{"jobs": [{"name": null}]}')
        )
    pair.now = TWO
    pair.define(*pair.schedules, jobs=[a_job("mended")])
    assert pair.ledger("bad") == [("FIRE_FAILED", TWO, 1)]
    assert pair.schedule("bad").next_run_at == TWO + MINUTE
    pair.tick(TWO + MINUTE)
    names = pair.rows(sa.select(job_run.c.job_name).where(job_run.c.schedule_id == "bad"))
    assert names == [("mended",)]


def test_a_returned_schedule_forgets_its_failures(pair: World) -> None:
    rewrite(pair, {"grace_seconds": float("inf")}, digest="another")
    give_up_on_bad(pair)
    pair.define(minutely("good"))
    pair.define(minutely("good"), minutely("bad"))
    row = pair.schedule("bad")
    assert (row.state, row.fire_errors, row.retry_after) == ("ACTIVE", 0, None)


def test_a_schedule_with_a_broken_rule_can_be_switched_on_and_then_tells(pair: World) -> None:
    rewrite(pair, NO_SUCH_ZONE)
    pair.disable("bad")
    pair.now = TWO
    pair.enable("bad", catch_up_latest=True)
    assert list(pair.tick(TWO + MINUTE).errors) == ["bad"]


def test_an_older_release_leaves_alone_what_a_newer_one_wrote(
    pair: World, caplog: pytest.LogCaptureFixture
) -> None:
    rewrite(pair, {"unheard_of": 1}, rule_format=RULE_FORMAT + 1)
    before = pair.schedule("bad")
    for minute in range(8):
        now = TWO + minute * MINUTE
        assert dry_run(pair.database, pair.settings, now).errors == {}
        result = pair.tick(now)
        assert (result.errors, result.more) == ({}, False)
    assert caplog.messages == []
    assert pair.schedule("bad") == before
    assert len(pair.ledger("good")) == 8


def test_an_older_release_leaves_the_pauses_of_newer_schedules_alone(pair: World) -> None:
    switches.pause_schedule(pair.database, Act(pair.now, TESTER, reason="moving"), "bad", until=TWO)
    rewrite(pair, {"unheard_of": 1}, rule_format=RULE_FORMAT + 1)
    assert pair.tick(TWO + MINUTE).errors == {}
    assert pair.schedule("bad").state == "PAUSED"
