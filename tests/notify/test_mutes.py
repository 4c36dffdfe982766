"""Silence that somebody asked for has a reason and an end, and what is wrong then is told then."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import FAILED, Hands, rescue
from tests.notify.conftest import Alerting
from tests.notify.receivers import MailServer
from tests.notify.test_rules import fire, hourly
from tests.support.factories import TESTER, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.errors import NotFound, Refused
from tick.notify import dispatcher
from tick.ops.actions import alerts, windows
from tick.ops.queries.alerts import get_alert, list_alerts, list_mutes
from tick.store.tables import audit_entry


@pytest.fixture
def silent(alerting: Alerting) -> Alerting:
    """Nothing ticks, and nobody has looked yet."""
    alerting.world.disable()
    alerting.tick_on(10)
    alerting.world.now += timedelta(seconds=181)
    return alerting


def mute(alerting: Alerting, **what: Any) -> int:
    """Mute for an hour."""
    now = alerting.world.now
    given = {"until": now + timedelta(hours=1), "reason": "we move the data centre", **what}
    act = Act(now, TESTER, reason=given.pop("reason"))
    return alerts.mute(alerting.world.database, act, **given)


def test_what_is_still_wrong_when_a_mute_ends_is_told_then(
    silent: Alerting, mail: MailServer
) -> None:
    mute(silent)
    silent.run_until_sent()
    assert (silent.open(), mail.mails) == (["silent"], [])
    silent.run_once(after=3600)
    assert mail.subjects == ["The scheduler does not tick"]


def test_what_began_and_ended_during_a_mute_is_never_told(
    silent: Alerting, mail: MailServer
) -> None:
    mute(silent, rule="silent")
    silent.run_until_sent()
    silent.tick_on(1)
    silent.run_until_sent()
    silent.run_once(after=3600)
    silent.tick_on(1)
    assert [row.status for row in silent.deliveries()][:1] == ["DROPPED"]
    assert "The scheduler does not tick" not in mail.subjects[:-1]


def test_a_mute_of_another_rule_or_schedule_mutes_nothing_else(
    silent: Alerting, mail: MailServer
) -> None:
    mute(silent, rule="failed")
    mute(silent, schedule_id="daily")
    silent.run_until_sent()
    assert len(mail.mails) == 1


@pytest.mark.parametrize("is_muted", [False, True])
def test_a_rule_with_a_muted_alert_still_repeats_its_reminders(
    alerting: Alerting, mail: MailServer, is_muted: bool
) -> None:
    names = ["muted", "one", "two", "three"]
    feeds = [a_schedule(name, cron="0 * * * *", mode="SINGLE_JOB", job=name) for name in names]
    hands = hourly(alerting)
    alerting.world.disable()
    alerting.world.define(*feeds, jobs=[a_job(name) for name in names])
    for name in names:
        alerting.world.enable(name)
    fire(alerting)
    runs = {run.job_name: run for run in hands.claim()}
    if is_muted:
        mute(alerting, schedule_id="muted")
        hands.end(runs["muted"], end=FAILED)
    heard = []
    for name in names[1:]:
        hands.end(runs[name], end=FAILED)
        alerting.run_until_sent()
        heard.append(len(mail.mails))
    alerting.run_once(after=alerting.settings.alert_rate_seconds)
    assert (heard, len(mail.mails)) == ([1, 1, 1], 2)


def test_an_alert_opened_during_a_send_waits_for_the_next_message(
    alerting: Alerting, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["one", "two"]
    feeds = [a_schedule(name, cron="0 * * * *", mode="SINGLE_JOB", job=name) for name in names]
    hands = hourly(alerting)
    alerting.world.disable()
    alerting.world.define(*feeds, jobs=[a_job(name) for name in names])
    for name in names:
        alerting.world.enable(name)
    fire(alerting)
    one, two = hands.claim()
    hands.end(one, end=FAILED)
    alerting.run_once()
    send = dispatcher.attempt

    def fail_another_and_let_another_process_look(*given: Any) -> str | None:
        monkeypatch.setattr(dispatcher, "attempt", send)
        hands.end(two, end=FAILED)
        alerting.run_once()
        return send(*given)

    monkeypatch.setattr(dispatcher, "attempt", fail_another_and_let_another_process_look)
    alerting.run_once(after=alerting.settings.alert_settle_seconds + 1)
    alerting.run_once()
    assert len(mail.mails) == 1
    alerting.run_once(after=alerting.settings.alert_rate_seconds)
    assert len(mail.mails) == 2


def test_a_mute_that_is_ended_early_lets_go_at_once(silent: Alerting, mail: MailServer) -> None:
    number = mute(silent)
    silent.run_until_sent()
    ended = alerts.unmute(silent.world.database, Act(silent.world.now, TESTER), number)
    again = alerts.unmute(silent.world.database, Act(silent.world.now, TESTER), number)
    assert (ended, again) == (True, False)
    silent.run_once()
    assert len(mail.mails) == 1
    audit = sa.select(audit_entry.c.action).order_by(audit_entry.c.id.desc()).limit(2)
    assert [row.action for row in silent.world.rows(audit)] == ["alert.unmute", "alert.mute"]


def test_nobody_is_told_anything_while_the_scheduler_is_stopped(
    silent: Alerting, mail: MailServer
) -> None:
    world, now = silent.world, silent.world.now
    windows.stop_scheduler(world.database, Act(now, TESTER, reason="maintenance"))
    silent.run_until_sent()
    assert (silent.open(), mail.mails) == (["silent"], [])
    windows.start_scheduler(world.database, Act(world.now, TESTER))
    silent.run_once()
    assert len(mail.mails) == 1


def test_a_mute_needs_a_reason_an_end_and_something_that_exists(silent: Alerting) -> None:
    for what, error in (
        ({"reason": " "}, Refused),
        ({"until": silent.world.now}, Refused),
        ({"until": silent.world.now + timedelta(days=31)}, Refused),
        ({"rule": "nonsense"}, NotFound),
        ({"schedule_id": "nobody"}, NotFound),
    ):
        with pytest.raises(error):
            mute(silent, **what)


def test_people_read_what_is_wrong_who_was_told_and_what_is_muted(silent: Alerting) -> None:
    silent.run_until_sent()
    mute(silent, rule="silent")
    now = silent.world.now
    with silent.world.database.read.connect() as connection:
        (row,) = list_alerts(connection, now, open=True).items
        assert (row.rule, row.muted, row.delivered, row.owed) == ("silent", True, 1, 0)
        assert list_alerts(connection, now, open=False).items == ()
        assert list_alerts(connection, now, schedule_id="daily").items == ()
        detail = get_alert(connection, row.id, now)
        assert [each.error for each in detail.deliveries[0].attempts] == [None]
        assert [each.reason for each in list_mutes(connection, now)] == ["we move the data centre"]
        assert list_mutes(connection, now + timedelta(hours=2)) == ()
        with pytest.raises(NotFound):
            get_alert(connection, 999, now)


def test_what_ends_by_itself_can_be_muted_and_not_closed(silent: Alerting) -> None:
    silent.run_once()
    with pytest.raises(Refused, match="ends by itself"):
        alerts.close(silent.world.database, Act(silent.world.now, TESTER), silent.alerts()[0].id)
    with pytest.raises(NotFound):
        alerts.close(silent.world.database, Act(silent.world.now, TESTER), 999)


def test_a_closed_event_does_not_open_again_while_still_visible(
    alerting: Alerting,
) -> None:
    world = alerting.world
    Hands(world)
    alerting.tick_on(10)
    rescue(world)
    alerting.run_once()
    (row,) = alerting.alerts()
    assert row.rule == "worker-dead"
    assert alerts.close(world.database, Act(world.now, TESTER), row.id)
    alerting.run_until_sent()
    assert alerting.open() == []


def test_an_event_that_was_closed_does_not_come_again(alerting: Alerting, mail: MailServer) -> None:
    world = alerting.world
    world.tick(world.now + timedelta(hours=5))
    alerting.run_once()
    (row,) = alerting.alerts()
    assert row.rule == "missed"
    assert alerts.close(world.database, Act(world.now, TESTER), row.id)
    assert not alerts.close(world.database, Act(world.now, TESTER), row.id)
    alerting.run_until_sent()
    assert (alerting.open(), mail.mails) == ([], [])
    assert alerting.deliveries()[0].status == "DROPPED"
