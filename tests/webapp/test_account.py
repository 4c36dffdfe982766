"""One's own account: a new password by the old one, and signing out of other browsers."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.support.factories import World
from tests.webapp.scenes import PASSWORD
from tests.webapp.visitor import Visitor, location
from tick.store.tables import audit_entry, user_session
from webapp.pages.account import browser_name

NEW = "another horse in the rain"


def change(visitor: Visitor, present: str = PASSWORD, new: str = NEW, again: str = NEW) -> str:
    """What is said after the attempt."""
    visitor.page("/account")
    answer = visitor.post("/account/password", present=present, new=new, again=again)
    assert location(answer) == "/account"
    return visitor.page("/account")


def is_inside(visitor: Visitor) -> bool:
    return visitor.get("/schedules").status_code == 200


@pytest.mark.parametrize("name", ["ada", "vic"])
def test_everybody_changes_their_own_password_by_the_old_one(
    app: Flask, world: World, name: str
) -> None:
    here, elsewhere = Visitor(app).log_in(name), Visitor(app).log_in(name)
    assert "The password is changed" in change(here)
    assert is_inside(here)
    assert not is_inside(elsewhere)
    assert Visitor(app).log_in(name, PASSWORD).answer.status_code == 401
    assert Visitor(app).log_in(name, NEW).answer.status_code == 303
    (entry,) = world.rows(sa.select(audit_entry).where(audit_entry.c.action == "user.password"))
    assert (entry.actor, entry.subject) == (name, name)


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        ({"present": "not the password"}, "present password is wrong"),
        ({"present": ""}, "present password is wrong"),
        ({"again": "something else entirely"}, "write the same twice"),
        ({"new": "short", "again": "short"}, "12 to 256 characters"),
    ],
)
def test_without_the_old_one_or_with_a_weak_one_nothing_changes(
    app: Flask, ada: Visitor, attempt: dict[str, str], said: str
) -> None:
    assert said in change(ada, **attempt)
    assert Visitor(app).log_in("ada").answer.status_code == 303


def test_a_copy_of_the_cookie_opens_nothing_after_signing_out(app: Flask, ada: Visitor) -> None:
    cookie = ada.client.get_cookie("tick")
    assert cookie is not None
    ada.page("/account")
    ada.post("/logout")
    thief = Visitor(app)
    thief.client.set_cookie("tick", cookie.value)
    assert not is_inside(thief)


def test_signing_in_again_ends_the_session_that_was(app: Flask, ada: Visitor) -> None:
    cookie = ada.client.get_cookie("tick")
    assert cookie is not None
    ada.client.post("/login", data=login_form(ada))
    assert is_inside(ada)
    ada.client.set_cookie("tick", cookie.value)
    assert not is_inside(ada)


def login_form(visitor: Visitor) -> dict[str, str]:
    """What the login page of another tab would send."""
    return {"csrf_token": visitor.token, "name": "vic", "password": PASSWORD}


def test_one_sees_where_one_is_signed_in_and_ends_it_there(app: Flask, world: World) -> None:
    here, elsewhere, vic = (Visitor(app).log_in(name) for name in ("ada", "ada", "vic"))
    page = here.page("/account")
    assert page.count("/account/sessions/") >= 2
    theirs = {row.id for row in world.rows(sa.select(user_session))}
    for number in sorted(theirs):
        vic.page("/account")
        vic.post(f"/account/sessions/{number}/end")
    assert is_inside(here) and is_inside(elsewhere)
    here.page("/account")
    here.post("/account/sessions/end")
    assert is_inside(here)
    assert not is_inside(elsewhere)


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(world: World, ada: Visitor) -> None:
    seen = sa.select(user_session.c.seen_at)
    (before,) = world.rows(seen)
    with world.database.write.begin() as connection:
        long_ago = before.seen_at - timedelta(minutes=90)
        connection.execute(sa.update(user_session).values(seen_at=long_ago))
    ada.get("/schedules", HX_Request="true", HX_Source="main#page")
    ada.get("/runs/1/stream", Accept="text/event-stream")
    assert world.rows(seen)[0].seen_at == long_ago
    ada.get("/schedules")
    assert world.rows(seen)[0].seen_at >= before.seen_at


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.14.1", "curl/8.14.1"),
        ("", "unknown"),
    ],
)
def test_a_browser_is_named_as_people_say_it(agent: str, shown: str) -> None:
    assert browser_name(agent) == shown
