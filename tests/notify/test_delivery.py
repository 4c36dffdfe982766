"""Receivers that are slow, down or say no: nobody waits, nothing is lost, and giving up is told."""

import json
import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.notify.conftest import SECRET, Alerting
from tests.notify.receivers import HttpReceiver, MailServer
from tests.support.factories import a_job, a_schedule, a_worker
from tests.support.plans import recorded
from tick.engine.runs.rescue import rescue_dead_workers
from tick.notify import dispatcher, sending
from tick.notify.outbox import LEASE, claim, record
from tick.store.tables import alert_attempt, alert_delivery, worker_instance


def attempts(alerting: Alerting) -> list[str | None]:
    """The error of each attempt."""
    rows = alerting.world.rows(sa.select(alert_attempt).order_by(alert_attempt.c.id))
    return [row.error for row in rows]


@pytest.mark.parametrize(("status", "words"), [(500, "Internal Server Error"), (302, "Found")])
def test_a_receiver_that_does_not_take_it_gets_it_when_it_is_well_again(
    silent: Alerting, hook: HttpReceiver, status: int, words: str
) -> None:
    hook.status = status
    silent.run_once()
    assert len(hook.requests) == 1
    silent.run_once(after=5)
    assert len(hook.requests) == 1, "it is left alone for a while"
    hook.status = 200
    silent.run_once(after=31)
    silent.run_once(after=31)
    assert [json.loads(request.body)["type"] for request in hook.requests] == 2 * ["alert.opened"]
    ids = {request.headers["webhook-id"] for request in hook.requests}
    assert len(ids) == 1, "a receiver knows an event that it has seen"
    assert attempts(silent) == [f"the receiver answered {status} {words}", None]


def test_the_pauses_grow_and_after_a_day_it_is_given_up_and_said(
    silent: Alerting, hook: HttpReceiver, mail: MailServer
) -> None:
    hook.status = 503
    for _ in range(60):
        silent.run_once(after=1810)
    tried = len(hook.requests)
    assert 48 <= tried <= 56
    assert [row.status for row in silent.deliveries()] == ["GAVE_UP"]
    assert silent.open() == ["silent", "undelivered"]
    silent.settings = silent.settings.model_copy(update={"alert_urls": SecretStr(mail.url)})
    silent.run_until_sent()
    assert "can't be reached" in mail.body()
    assert len(hook.requests) == tried, "it is not told about itself"


def test_a_receiver_that_is_down_is_no_error_of_anybody_else(
    silent: Alerting, mail: MailServer
) -> None:
    nowhere = "http://127.0.0.1:1/hook"
    silent.settings = silent.settings.model_copy(
        update={"webhook_urls": SecretStr(nowhere), "alert_urls": SecretStr(mail.url)}
    )
    silent.run_until_sent()
    assert mail.subjects == ["The scheduler does not tick"]
    assert "Connection refused" in (attempts(silent)[0] or "")


def test_a_receiver_that_never_answers_is_left_in_bounded_time(
    silent: Alerting, hook: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough = threading.Event()
    hook.while_asked = lambda: bool(enough.wait(20)) and None
    monkeypatch.setattr(
        dispatcher, "run_with_timeout", lambda send: sending.run_with_timeout(send, seconds=0.2)
    )
    started = time.monotonic()
    silent.run_once()
    enough.set()
    assert time.monotonic() - started < 5
    assert attempts(silent) == ["no answer within 0 s"]


def test_whoever_only_ticked_waits_no_longer_than_it_may(
    silent: Alerting, hook: HttpReceiver
) -> None:
    enough = threading.Event()
    hook.while_asked = lambda: bool(enough.wait(20)) and None
    started = time.monotonic()
    thread = silent.dispatcher().run_in_thread()
    thread.join(0.3)
    assert time.monotonic() - started < 5
    assert thread.is_alive()
    enough.set()
    thread.join(20)
    assert [row.status for row in silent.deliveries()] == ["DELIVERED"]


def test_deliveries_of_a_dead_sender_are_sent_by_another_after_the_lease(
    silent: Alerting, hook: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(dispatcher, "attempt", die)
        with pytest.raises(KeyboardInterrupt):
            silent.run_once()
    silent.run_once(after=30)
    assert hook.requests == []
    silent.run_once(after=31)
    assert len(hook.requests) == 1


def test_a_sender_whose_lease_is_over_does_not_speak_for_the_one_after_it(
    silent: Alerting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "deliver", lambda *_: False)
    silent.run_once()
    (channel,), database = silent.dispatcher().channels, silent.world.database
    now = silent.world.now
    later = now + LEASE
    with database.write.begin() as connection:
        first = claim(connection, channel, now)
    with database.write.begin() as connection:
        second = claim(connection, channel, later)
    assert first is not None
    assert second is not None
    with database.write.begin() as connection:
        record(connection, first, later, 60.0, "no answer")
    assert [(row.token, row.error) for row in silent.deliveries()] == [(second.token, None)]
    with database.write.begin() as connection:
        record(connection, second, later, 0.1, None)
    assert [row.status for row in silent.deliveries()] == ["DELIVERED"]


@pytest.mark.parametrize(("minutes", "told"), [(50, ["alert.opened", "alert.resolved"]), (70, [])])
def test_a_channel_that_is_new_is_not_told_what_is_long_over(
    alerting: Alerting, hook: HttpReceiver, minutes: int, told: list[str]
) -> None:
    alerting.world.disable()
    alerting.tick_on(10)
    alerting.world.now += timedelta(seconds=181)
    alerting.run_until_sent()
    alerting.tick_on(1)
    alerting.run_once()
    alerting.tick_on(minutes)
    hooks = {"webhook_urls": SecretStr(hook.url), "webhook_secret": SecretStr(SECRET)}
    for _ in range(2):
        alerting.run_once(**hooks)
    assert [json.loads(request.body)["type"] for request in hook.requests] == told


def test_several_alerts_of_one_moment_are_one_mail(alerting: Alerting, mail: MailServer) -> None:
    world = alerting.world
    names = [f"feed-{number:02}" for number in range(12)]
    world.define(
        *(a_schedule(name, cron="0 * * * *", jobs=("match-scores",)) for name in names),
        jobs=[a_job("match-scores")],
    )
    for name in names:
        world.enable(name)
    world.tick(world.now + timedelta(hours=2, minutes=30))
    alerting.run_until_sent()
    assert mail.subjects == [
        "12 alerts: Feed 00 missed 3 instants; Feed 01 missed 3 instants; "
        "Feed 02 missed 3 instants and 9 more"
    ]
    assert mail.body().count("\n---\n") == 10
    assert "2 more:\n- Feed 10 missed 3 instants\n" in mail.body()


def test_a_rule_that_goes_on_and_on_speaks_once_a_minute(
    alerting: Alerting, mail: MailServer
) -> None:
    alerting.world.disable()
    alerting.tick_on(1)
    for number in range(12):
        die(alerting, number)
        alerting.run_once(after=10)
    assert len(mail.mails) == 2, "one soon, and one a minute later with what came meanwhile"
    assert mail.subjects[1].startswith("7 alerts: ")


def die(alerting: Alerting, number: int) -> None:
    """Let a worker die that nobody has heard of for long."""
    now = alerting.world.now
    worker = a_worker(now, id=f"worker{number}", last_heartbeat_at=now - timedelta(hours=2))
    with alerting.world.database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance), worker)
        rescue_dead_workers(connection, now, timedelta(seconds=90))


def test_a_delivery_is_written_down_once(silent: Alerting) -> None:
    for _ in range(3):
        silent.run_once(after=11)
    keys = [row.key for row in silent.deliveries()]
    assert len(keys) == len(set(keys)) == 1
    assert silent.world.rows(sa.select(alert_delivery.c.attempt)) == [(1,)]


def test_a_round_without_news_writes_nothing(silent: Alerting) -> None:
    """On SQLite it would keep ticks waiting."""
    for _ in range(2):
        silent.run_once(after=11)
    with recorded(silent.world.database) as sent:
        silent.run_once(after=11)
    assert silent.open() == ["silent"]
    assert [each for each in sent if each.statement.startswith(("INSERT", "UPDATE"))] == []


def test_an_address_may_hold_a_name_and_a_password(hook: HttpReceiver) -> None:
    sending.post(hook.url.replace("//", "//anna:p%40ss%2Fword@"), b"", {})
    assert hook.requests[0].headers["authorization"] == "Basic YW5uYTpwQHNzL3dvcmQ="


@pytest.mark.parametrize(
    "url",
    [
        "http://h:very-secret",
        "http://h/very secret",
        "http://very secret/",
        "http://[very-secret",
        "http://h/ü-very-secret",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(sending.SendFailed) as refused:
        sending.post(url, b"", {})
    assert str(refused.value) == "its address can't be used: look after the spelling"
