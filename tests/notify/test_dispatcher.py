"""Who goes round, in the processes that serve."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.notify.conftest import SECRET, ClockedRuntime, Telling
from tests.notify.receivers import HttpReceiver
from tick.errors import SettingsError
from tick.notify import dispatcher as couriers
from tick.ticks.loop import Loop
from tick.ticks.tick import TickResult


def clocked(telling: Telling) -> ClockedRuntime:
    """A runtime with the settings and at the instant of the test, with its definitions."""
    runtime = ClockedRuntime(telling.settings, telling.world.database, telling.world.now)
    runtime.__dict__["registry"] = telling.world.registry
    return runtime


@pytest.fixture
def silent(telling: Telling, hook: HttpReceiver) -> Telling:
    """Nothing has ticked for long; told by a webhook alone."""
    hooks = {"webhook_urls": SecretStr(hook.url), "webhook_secret": SecretStr(SECRET)}
    telling.settings = telling.settings.model_copy(update={"alert_urls": None, **hooks})
    telling.world.disable()
    telling.tick_on(10)
    telling.world.now += timedelta(minutes=4)
    return telling


def test_a_process_that_serves_looks_around_without_being_asked(
    silent: Telling, hook: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(couriers, "ROUND_SECONDS", 0.01)
    told = threading.Event()
    hook.while_asked = told.set
    with couriers.at_work(clocked(silent)):
        assert told.wait(60)
    assert [thread.name for thread in threading.enumerate()].count("courier") == 0
    assert len(hook.requests) == 1


def test_a_process_that_ends_waits_a_moment_for_what_is_being_sent(
    silent: Telling, hook: HttpReceiver
) -> None:
    with couriers.at_work(clocked(silent)) as courier:
        courier.start_round()
    assert [thread.name for thread in threading.enumerate()].count("alerts") == 0
    assert len(hook.requests) == 1


def test_a_process_does_not_start_with_a_channel_that_can_never_work(silent: Telling) -> None:
    silent.settings = silent.settings.model_copy(update={"alert_urls": SecretStr("nonsense://x")})
    with pytest.raises(SettingsError, match="nonsense"), couriers.at_work(clocked(silent)):
        raise AssertionError("it served")


def test_a_database_that_fails_ends_no_round_for_good(
    silent: Telling, hook: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("away"))

    with monkeypatch.context() as patched:
        patched.setattr(couriers, "look", away)
        silent.round()
    assert hook.requests == []
    silent.round()
    assert len(hook.requests) == 1


def test_the_loop_tells_its_courier_of_each_tick(silent: Telling) -> None:
    told: list[TickResult] = []
    loop = Loop(clocked(silent), told.append)
    loop.tick(threading.Event())
    assert [result.now for result in told] == [silent.world.now]


def test_a_channel_that_is_slow_leaves_the_rest_of_a_round_to_the_others(
    telling: Telling, hook: HttpReceiver, ping: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = {
        "alert_urls": None,
        "webhook_urls": SecretStr(f"{hook.url} {ping.url}"),
        "webhook_secret": SecretStr(SECRET),
    }
    telling.settings = telling.settings.model_copy(update=both)
    for _ in range(3):
        telling.world.tick(telling.world.now + timedelta(days=1, hours=6))
    monkeypatch.setattr(couriers, "CHANNEL_SECONDS", 0.0)
    for count in (1, 2):
        telling.round()
        assert [len(hook.requests), len(ping.requests)] == [count, count]
