"""The alerts as people see them, and what they do about them."""

import re
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from pydantic import SecretStr

from tests.notify.receivers import HttpReceiver, http_receiver
from tests.support.factories import World
from tests.webapp.scenes import SETTINGS
from tests.webapp.visitor import Visitor
from tick.store.tables import alert, alert_mute, audit_entry
from webapp import create_app, dispatcher
from webapp.dispatcher import dispatcher_of


@pytest.fixture
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def world(world: World, hook: HttpReceiver, now: datetime) -> World:
    """The console's world, in which ticking stopped four minutes ago; a webhook is set up."""
    hooks = {
        "webhook_urls": SecretStr(hook.url),
        "webhook_secret": SecretStr("a webhook secret for tests"),
    }
    world.settings = SETTINGS.model_copy(update=hooks)
    world.tick(now - timedelta(minutes=4))
    return world


def noticed(app: Flask) -> None:
    """What the console notices by itself."""
    dispatcher_of(app).run_once()


def test_a_page_view_notices_that_nothing_ticks_and_tells_it_once(
    world: World, hook: HttpReceiver
) -> None:
    app = create_app(world.runtime)
    dispatcher.watch(app)
    ada = Visitor(app).log_in("ada")
    for thread in threading.enumerate():
        if thread.name == "alerts":
            thread.join(20)
    assert len(hook.requests) == 1
    assert "The scheduler does not tick" in ada.page("/alerts")
    assert [thread.name for thread in threading.enumerate()].count("alerts") == 0


def test_a_system_that_is_well_says_so(world: World, ada: Visitor, now: datetime) -> None:
    page = ada.page("/alerts")
    assert "Nothing is wrong" in page
    assert "Nothing yet" in page


def test_every_page_counts_what_is_wrong(app: Flask, ada: Visitor) -> None:
    assert '<span class="visually-hidden"> open</span>' not in ada.page("/runs")
    noticed(app)
    assert '1<span class="visually-hidden"> open</span>' in ada.page("/runs")
    assert re.search(r'Open alerts</p><p class="num tone-bad">.*?>1</a>', ada.page("/"))


def test_an_alert_says_what_is_wrong_and_each_attempt_to_tell_it(
    app: Flask, ada: Visitor, hook: HttpReceiver
) -> None:
    hook.status = 500
    noticed(app)
    page = ada.page("/alerts")
    assert "The scheduler does not tick" in page
    assert "1 to be sent" in page
    detail = ada.page("/alerts/1")
    assert "the receiver answered 500 Internal Server Error" in detail
    assert "webhook-" in detail
    assert hook.url not in detail


def test_the_strip_says_loudly_that_nothing_ticks(ada: Visitor) -> None:
    assert "Nothing ticks, so nothing fires" in ada.page("/")


def test_an_alert_is_muted_for_a_while_with_a_reason_and_unmuted(
    world: World, app: Flask, ada: Visitor
) -> None:
    noticed(app)
    form = ada.page("/alerts/mute?rule=silent")
    assert "<option selected>silent</option>" in form
    ada.post("/alerts/mute", rule="silent", schedule="", hours="8", reason="we move")
    page = ada.page("/alerts")
    assert "we move (by ada)" in page
    assert "Muted" in page
    ada.press(page, "/alerts/mutes/1/end")
    assert "we move" not in ada.page("/alerts")
    (row,) = world.rows(sa.select(alert_mute))
    assert (row.rule, row.schedule_id, row.ended_by) == ("silent", None, "ada")


@pytest.mark.parametrize("hours", ["999", "0", "-8", "x", ""])
def test_a_mute_of_a_length_that_is_not_offered_is_short(
    world: World, ada: Visitor, hours: str
) -> None:
    ada.page("/alerts/mute")
    ada.post("/alerts/mute", rule="silent", schedule="", hours=hours, reason="we move")
    (row,) = world.rows(sa.select(alert_mute))
    assert row.until - row.created_at == timedelta(hours=1)


def test_a_mute_without_a_reason_is_refused(ada: Visitor) -> None:
    ada.post("/alerts/mute", rule="", schedule="", hours="1", reason=" ")
    assert "A mute needs a reason" in ada.page("/alerts")


def test_what_has_no_end_of_its_own_is_closed_by_hand(
    world: World, app: Flask, ada: Visitor, now: datetime
) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=2, minutes=30))
    noticed(app)
    (row,) = world.rows(sa.select(alert).where(alert.c.rule == "missed"))
    ada.press(ada.page("/alerts"), f"/alerts/{row.id}/close")
    assert "closed by ada" in ada.page("/alerts")
    actions = [each.action for each in world.rows(sa.select(audit_entry.c.action))]
    assert "alert.close" in actions


def test_the_test_button_says_who_took_it(ada: Visitor, hook: HttpReceiver) -> None:
    ada.press(ada.page("/alerts"), "/alerts/test")
    assert "took a test message" in ada.page("/alerts")
    assert b'"alert.test"' in hook.requests[0].body
    hook.status = 404
    ada.press(ada.page("/alerts"), "/alerts/test")
    assert "the receiver answered 404 Not Found" in ada.page("/alerts")


def test_without_a_channel_the_test_says_what_to_set(world: World) -> None:
    world.settings = SETTINGS
    ada = Visitor(create_app(world.runtime)).log_in("ada")
    ada.post("/alerts/test")
    assert "TICK_ALERT_URLS" in ada.page("/alerts")


def test_a_viewer_reads_and_does_not_act(app: Flask, vic: Visitor) -> None:
    noticed(app)
    page = vic.page("/alerts")
    assert "The scheduler does not tick" in page
    assert "/alerts/test" not in page
    assert vic.post("/alerts/test").status_code == 403
    assert vic.get("/alerts/mute").status_code == 403


def test_a_receiver_that_never_answers_keeps_no_tick_waiting(
    app: Flask, hook: HttpReceiver
) -> None:
    enough = threading.Event()
    hook.while_asked = lambda: bool(enough.wait(30)) and None
    secret = SETTINGS.trigger_secret
    assert secret
    headers = {"Authorization": f"Bearer {secret.get_secret_value()}"}
    started = time.monotonic()
    noticed_by_somebody = dispatcher_of(app).run_in_thread()
    response = app.test_client().post("/internal/tick", headers=headers)
    assert response.status_code == 200
    assert time.monotonic() - started < 2 * SETTINGS.http_budget_seconds
    enough.set()
    noticed_by_somebody.join(30)


def test_a_tick_by_http_has_its_alerts_told(world: World, app: Flask, hook: HttpReceiver) -> None:
    noticed(app)
    assert len(hook.requests) == 1
    secret = SETTINGS.trigger_secret
    assert secret
    headers = {"Authorization": f"Bearer {secret.get_secret_value()}"}
    assert app.test_client().post("/internal/tick", headers=headers).status_code == 200
    dispatcher_of(app).run_once()
    assert b'"alert.resolved"' in hook.requests[-1].body
