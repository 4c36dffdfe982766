"""The dispatcher in processes that serve."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.notify.conftest import SECRET, Alerting, ClockedRuntime
from tests.notify.receivers import HttpReceiver
from tick.errors import SettingsError
from tick.notify import dispatcher
from tick.ticks.loop import Loop
from tick.ticks.tick import TickResult


def clocked(alerting: Alerting) -> ClockedRuntime:
    """A runtime with the settings and at the instant of the test, with its definitions."""
    runtime = ClockedRuntime(alerting.settings, alerting.world.database, alerting.world.now)
    runtime.__dict__["registry"] = alerting.world.registry
    return runtime


def test_a_process_that_serves_looks_around_without_being_asked(
    silent: Alerting, hook: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "INTERVAL_SECONDS", 0.01)
    told = threading.Event()
    hook.while_asked = told.set
    with dispatcher.running(clocked(silent)):
        assert told.wait(60)
    assert [thread.name for thread in threading.enumerate()].count("notifications") == 0
    assert len(hook.requests) == 1


def test_a_process_that_ends_waits_a_moment_for_what_is_being_sent(
    silent: Alerting, hook: HttpReceiver
) -> None:
    with dispatcher.running(clocked(silent)) as started:
        started.run_in_thread()
    assert [thread.name for thread in threading.enumerate()].count("alerts") == 0
    assert len(hook.requests) == 1


def test_a_process_does_not_start_with_a_channel_that_can_never_work(silent: Alerting) -> None:
    silent.settings = silent.settings.model_copy(update={"alert_urls": SecretStr("nonsense://x")})
    with pytest.raises(SettingsError, match="nonsense"), dispatcher.running(clocked(silent)):
        raise AssertionError("it served")


def test_a_database_that_fails_ends_no_round_for_good(
    silent: Alerting, hook: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("away"))

    with monkeypatch.context() as patched:
        patched.setattr(dispatcher, "evaluate", away)
        silent.run_once()
    assert hook.requests == []
    silent.run_once()
    assert len(hook.requests) == 1


def test_the_loop_passes_each_tick_to_the_dispatcher(silent: Alerting) -> None:
    told: list[TickResult] = []
    loop = Loop(clocked(silent), told.append)
    loop.tick(threading.Event())
    assert [result.now for result in told] == [silent.world.now]


def test_a_channel_that_is_slow_leaves_the_rest_of_a_round_to_the_others(
    alerting: Alerting, hook: HttpReceiver, ping: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = {
        "alert_urls": None,
        "webhook_urls": SecretStr(f"{hook.url} {ping.url}"),
        "webhook_secret": SecretStr(SECRET),
    }
    alerting.settings = alerting.settings.model_copy(update=both)
    for _ in range(3):
        alerting.world.tick(alerting.world.now + timedelta(days=1, hours=6))
    monkeypatch.setattr(dispatcher, "CHANNEL_SECONDS", 0.0)
    for count in (1, 2):
        alerting.run_once()
        assert [len(hook.requests), len(ping.requests)] == [count, count]
