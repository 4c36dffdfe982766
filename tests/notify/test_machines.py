"""What machines are told: signed webhooks of each end, and dead-man's switches of schedules."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests.engine.worker_steps import FAILED, RETURNED, Hands
from tests.notify.conftest import SECRET, Alerting
from tests.notify.receivers import HttpReceiver
from tests.notify.test_rules import chained, end_all, fire, hourly, retry_alone
from tests.support.factories import TESTER, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.errors import SettingsError
from tick.notify import dispatcher, outbox
from tick.notify.channels import key_of, ping_channels_of, signature
from tick.ops.actions import run_now
from tick.settings import load_settings


@pytest.fixture
def hooked(alerting: Alerting, hook: HttpReceiver) -> Alerting:
    """Told by a webhook alone."""
    hooks = {"webhook_urls": SecretStr(hook.url), "webhook_secret": SecretStr(SECRET)}
    alerting.settings = alerting.settings.model_copy(update={"alert_urls": None, **hooks})
    return alerting


def events(hook: HttpReceiver) -> list[dict[str, Any]]:
    """What came, as JSON."""
    return [json.loads(request.body) for request in hook.requests]


def test_each_occurrence_that_ends_is_told_with_its_runs(
    hooked: Alerting, hook: HttpReceiver
) -> None:
    hands = hourly(hooked, jobs=["first", "second"])
    fire(hooked)
    first, second = hands.claim()
    hands.end(first)
    hands.end(second, end=FAILED)
    hooked.run_once()
    (finished,) = [event for event in events(hook) if event["type"] == "occurrence.finished"]
    assert finished["data"]["outcome"] == "FAILED"
    assert finished["data"]["schedule_id"] == "daily"
    assert finished["data"]["scheduled_for"] == "2026-03-01T02:00:00+00:00"
    assert [(run["job_name"], run["status"]) for run in finished["data"]["runs"]] == [
        ("first", "SUCCESS"),
        ("second", "FAILED"),
    ]
    assert "alert.opened" in [event["type"] for event in events(hook)]


def test_a_retry_that_leaves_runs_out_is_told_as_a_failure(
    hooked: Alerting, hook: HttpReceiver
) -> None:
    hands = chained(hooked)
    end_all(hands, FAILED)
    retry_alone(hooked)
    end_all(hands)
    hooked.run_once()
    ends = [event["data"] for event in events(hook) if event["type"] == "occurrence.finished"]
    assert [end["outcome"] for end in ends] == ["FAILED"]
    assert [run["status"] for run in ends[0]["runs"]] == ["SUCCESS", "SKIPPED"]


def test_what_did_not_fire_is_told_too(hooked: Alerting, hook: HttpReceiver) -> None:
    hourly(hooked)
    fire(hooked)
    fire(hooked)
    hooked.run_once()
    (event,) = [each for each in events(hook) if each["type"] == "occurrence.not_fired"]
    assert event["data"]["outcome"] == "SKIPPED_OVERLAP"


def test_a_receiver_can_check_who_sent_it_and_when(hooked: Alerting, hook: HttpReceiver) -> None:
    hands = hourly(hooked)
    fire(hooked)
    end_all(hands)
    hooked.run_once()
    (request,) = hook.requests
    stamp = request.headers["webhook-timestamp"]
    assert int(stamp) == int(hooked.world.now.timestamp())
    said = f"{request.headers['webhook-id']}.{stamp}.".encode() + request.body
    right = base64.b64encode(hmac.digest(SECRET.encode(), said, hashlib.sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{right}"
    assert json.loads(request.body)["id"] == request.headers["webhook-id"]


def test_the_example_of_the_specification_is_signed_as_it_says() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    told = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert told == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert key_of("a secret of one's own") == b"a secret of one's own"
    assert key_of("whsec_not base64") == b"whsec_not base64"


def pinged(alerting: Alerting, ping: HttpReceiver) -> Hands:
    """A schedule with a dead-man's switch of its own."""
    hands = hourly(alerting)
    schedule = a_schedule(name="Nightly", cron="0 * * * *", alerts=(), ping_url=ping.url)
    alerting.world.define(schedule, jobs=[a_job("match-scores")])
    return hands


def add_switch(alerting: Alerting, schedule_id: str, hook: HttpReceiver) -> None:
    """Another such schedule, with a switch elsewhere."""
    schedule = a_schedule(schedule_id, cron="0 * * * *", alerts=(), ping_url=hook.url)
    alerting.world.define(schedule, *alerting.world.schedules)
    alerting.world.enable(schedule_id)


def test_a_schedules_switch_hears_of_start_and_success(
    alerting: Alerting, ping: HttpReceiver
) -> None:
    hands = pinged(alerting, ping)
    fire(alerting)
    (run,) = hands.claim()
    alerting.run_once()
    alerting.run_once(after=10)
    assert ping.paths == ["/hook/start"]
    hands.end(run)
    alerting.run_once(after=10)
    alerting.run_once(after=10)
    assert ping.paths == ["/hook/start", "/hook"]


def test_a_switch_that_is_down_holds_up_no_other(
    alerting: Alerting, hook: HttpReceiver, ping: HttpReceiver
) -> None:
    hands = pinged(alerting, ping)
    add_switch(alerting, "broken", hook)
    hook.status = 500
    fire(alerting)
    end_all(hands)
    alerting.run_once()
    assert (hook.paths, ping.paths) == (["/hook"], ["/hook"])


def test_unreachable_ping_urls_do_not_block_the_dispatcher(
    alerting: Alerting, hook: HttpReceiver, ping: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = pinged(alerting, ping)
    add_switch(alerting, "another", hook)
    fire(alerting)
    end_all(hands)
    monkeypatch.setattr(dispatcher, "PINGS_SECONDS", 0.1)
    hook.while_asked = lambda: time.sleep(0.2)
    alerting.run_once()
    assert (hook.paths, ping.paths) == (["/hook"], [])
    alerting.run_once()
    assert (hook.paths, ping.paths) == (["/hook"], ["/hook"])


def test_a_start_that_could_not_be_told_by_the_time_of_the_end_never_is(
    alerting: Alerting, ping: HttpReceiver
) -> None:
    hands = pinged(alerting, ping)
    fire(alerting)
    (run,) = hands.claim()
    ping.status = 500
    alerting.run_once()
    ping.status = 200
    hands.end(run)
    alerting.run_once(after=1)
    alerting.run_once(after=60)
    assert ping.paths == ["/hook/start", "/hook"]


def test_a_success_does_not_overtake_a_start_that_is_on_its_way(
    alerting: Alerting, ping: HttpReceiver
) -> None:
    hands = pinged(alerting, ping)
    fire(alerting)
    (run,) = hands.claim()
    heard_by_then: list[list[str]] = []

    def end_and_let_another_process_tell() -> None:
        ping.while_asked = lambda: None
        hands.end(run)
        alerting.run_once()
        heard_by_then.append(ping.paths)

    ping.while_asked = end_and_let_another_process_tell
    alerting.run_once()
    assert heard_by_then == [["/hook/start"]]
    assert ping.paths == ["/hook/start", "/hook"]


def test_a_success_does_not_overtake_a_start_that_is_being_claimed(
    alerting: Alerting, ping: HttpReceiver
) -> None:
    """Both are owed after a failure; another process has locked the start, and saved nothing."""
    hands = pinged(alerting, ping)
    fire(alerting)
    (run,) = hands.claim()

    def end() -> None:
        ping.status = 500
        ping.while_asked = lambda: None
        hands.end(run)
        alerting.run_once()

    ping.while_asked = end
    alerting.run_once()
    assert [(row.event, row.status) for row in alerting.deliveries()] == [
        ("start", "OWED"),
        ("success", "OWED"),
    ]
    later = alerting.world.now + timedelta(minutes=5)
    (switch,) = ping_channels_of({row.channel for row in alerting.deliveries()})
    database = alerting.world.database
    with database.write.begin() as one:
        assert outbox.claim(one, switch, later) is not None
        if database.write.dialect.name == "postgresql":  # SQLite's writers take turns
            with database.write.begin() as other:
                assert outbox.claim(other, switch, later) is None


def test_the_switch_that_waits_the_longest_is_told_first(
    alerting: Alerting, hook: HttpReceiver, ping: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = pinged(alerting, ping)
    add_switch(alerting, "another", hook)
    hook.status = 500
    fire(alerting)
    end_all(hands)
    monkeypatch.setattr(dispatcher, "PINGS_SECONDS", 0.1)
    hook.while_asked = lambda: time.sleep(0.2)
    alerting.run_once()
    alerting.run_once(after=60)
    assert ping.paths == ["/hook"]


def test_a_failure_is_told_with_the_logs_end(alerting: Alerting, ping: HttpReceiver) -> None:
    hands = pinged(alerting, ping)
    fire(alerting)
    end_all(hands, FAILED)
    alerting.run_once()
    assert ping.paths == ["/hook/fail"]
    assert ping.requests[0].body.decode().endswith("match-scores failed: ValueError: no")


def test_a_manual_success_does_not_hide_a_missed_night(
    alerting: Alerting, ping: HttpReceiver
) -> None:
    hands = pinged(alerting, ping)
    world = alerting.world
    run_now.run_schedule(world.database, Act(world.now, TESTER), "daily")
    end_all(hands)
    alerting.run_once()
    assert ping.requests == []


def test_a_switch_may_be_named_by_a_variable(
    alerting: Alerting, ping: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTLY_PING", ping.url)
    hands = hourly(alerting)
    schedule = a_schedule(cron="0 * * * *", alerts=(), ping_url="secret:NIGHTLY_PING")
    alerting.world.define(schedule)
    fire(alerting)
    end_all(hands)
    alerting.run_once()
    assert ping.paths == ["/hook"]


def test_the_switch_of_the_ticking_hears_of_nothing_else(
    all_channels: Alerting, ping: HttpReceiver
) -> None:
    hands = hourly(all_channels)
    for end in (FAILED, RETURNED):
        fire(all_channels)
        end_all(hands, end)
        all_channels.run_until_sent()
    assert [alert.resolution is None for alert in all_channels.alerts()] == [False]
    assert ping.requests == []


def test_a_tick_pings_its_switch(all_channels: Alerting, ping: HttpReceiver) -> None:
    result = all_channels.world.tick()
    all_channels.dispatcher().run_in_thread(result).join(20)
    result.errors["daily"] = "no such table"
    all_channels.dispatcher().run_in_thread(result).join(20)
    assert ping.paths == ["/hook", "/hook/fail"]
    assert ping.requests[1].body == b"daily: no such table"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TICK_WEBHOOK_URLS": "https://a.example/x"}, "TICK_WEBHOOK_SECRET"),
        ({"TICK_PING_URL": "ftp://a.example"}, "http:// or https://"),
        ({"TICK_PUBLIC_URL": "tick.example"}, "TICK_PUBLIC_URL"),
    ],
)
def test_settings_that_could_tell_nobody_stop_the_start(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(given)


def test_a_channel_that_can_never_work_is_refused_without_its_address(alerting: Alerting) -> None:
    nonsense = alerting.dispatcher(alert_urls=SecretStr("nonsense://very-secret-token"))
    with pytest.raises(SettingsError) as refused:
        nonsense.check()
    assert "very-secret-token" not in str(refused.value)


def test_a_services_error_is_told_without_the_secrets_of_its_url(
    alerting: Alerting,
) -> None:
    url = "json://127.0.0.1:1/very-secret-token"
    found = alerting.dispatcher(alert_urls=SecretStr(url)).test(TESTER)
    (error,) = found.values()
    assert error
    assert not any(secret in error for secret in ("127.0.0.1", "very-secret-token")), error
