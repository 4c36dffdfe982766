"""Signing in, staying in, and what ends a session."""

import pytest
from flask import Flask

from tests.support.factories import TESTER, World
from tests.webapp.scenes import PASSWORD, SETTINGS
from tests.webapp.visitor import Visitor, location
from tick.engine.ledger.audit import Act
from tick.ops.access import users
from tick.ops.access.login_attempts import FREE_ATTEMPTS
from tick.runtime import Runtime
from webapp import create_app
from webapp.links import is_local


def test_the_right_password_opens_the_console(stranger: Visitor) -> None:
    stranger.log_in("ada")
    assert location(stranger.answer) == "/"
    assert "Daily Full Sync" in stranger.page("/schedules")


def test_names_are_not_case_sensitive(stranger: Visitor) -> None:
    assert stranger.log_in(" Ada ").answer.status_code == 303


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(app: Flask) -> None:
    wrong = Visitor(app).log_in("ada", "not the password").answer
    unknown = Visitor(app).log_in("nobody", "not the password").answer
    assert wrong.status_code == unknown.status_code == 401
    assert _words(wrong.text) == _words(unknown.text).replace("nobody", "ada")


def test_the_password_is_never_sent_back(stranger: Visitor) -> None:
    assert "not the password" not in stranger.log_in("ada", "not the password").answer.text


def test_guessing_is_slowed_down_even_with_the_right_password_at_last(app: Flask) -> None:
    visitor = Visitor(app)
    for _ in range(FREE_ATTEMPTS + 1):
        visitor.log_in("ada", "a wrong guess here")
    assert visitor.log_in("ada", PASSWORD).answer.status_code == 401


def test_somebody_elses_guesses_do_not_touch_other_accounts(app: Flask) -> None:
    for _ in range(FREE_ATTEMPTS + 1):
        Visitor(app).log_in("ada", "a wrong guess here")
    assert Visitor(app).log_in("vic").answer.status_code == 303


def test_logging_out_ends_the_session(ada: Visitor) -> None:
    assert location(ada.post("/logout")) == "/login"
    assert location(ada.get("/schedules")).startswith("/login")


def test_a_new_password_ends_every_session(world: World, ada: Visitor) -> None:
    users.set_password(world.database, Act(world.now, TESTER), "ada", "another long password")
    assert location(ada.get("/schedules")).startswith("/login")


def test_a_disabled_account_is_out_at_once_and_stays_out(world: World, ada: Visitor) -> None:
    users.set_active(world.database, Act(world.now, TESTER), "ada", False)
    assert location(ada.get("/schedules")).startswith("/login")
    assert ada.log_in("ada").answer.status_code == 401


def test_a_login_does_not_outlive_its_hours(world: World) -> None:
    settings = SETTINGS.model_copy(update={"session_hours": 1e-9})
    visitor = Visitor(create_app(Runtime(settings, world.database))).log_in("ada")
    assert visitor.answer.status_code == 303
    assert location(visitor.get("/schedules")).startswith("/login")


def test_a_cookie_from_before_the_login_is_worth_nothing_after_it(stranger: Visitor) -> None:
    stranger.get("/login")
    before = stranger.client.get_cookie("tick")
    stranger.log_in("ada")
    assert before is not None
    stranger.client.set_cookie("tick", before.value)
    assert location(stranger.get("/schedules")).startswith("/login")


def test_nothing_that_the_browser_brought_along_is_in_the_session(stranger: Visitor) -> None:
    with stranger.client.session_transaction() as before:
        before["planted"] = "by somebody else"
    stranger.log_in("ada")
    with stranger.client.session_transaction() as after:
        assert "_user_id" in after
        assert "planted" not in after


def test_a_browser_forgets_the_session_when_it_is_over(stranger: Visitor) -> None:
    stranger.get("/login")
    form = stranger.post("/login", name="ada", password=PASSWORD)
    (kept,) = [each for each in form.headers.getlist("Set-Cookie") if each.startswith("tick=")]
    assert "Expires=" in kept


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "//[",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%09/evil.example\n",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/" + "a" * 3000,
    ],
)
def test_no_address_of_another_site_is_ours(target: str) -> None:
    assert not is_local(target)


def test_no_login_leads_to_another_site(stranger: Visitor) -> None:
    assert location(stranger.log_in("ada", next="//evil.example").answer) == "/"
    assert location(stranger.get("/login?next=https://evil.example")) == "/"


def test_a_login_leads_back_to_the_page_that_was_asked_for(stranger: Visitor) -> None:
    target = "/runs?status=FAILED&job=match-scores"
    assert location(stranger.log_in("ada", next=target).answer) == target


def _words(page: str) -> str:
    return page.split('<p class="notice', 1)[1].partition("csrf_token")[0]
