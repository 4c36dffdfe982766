"""Who changed what, and who may."""

import re

import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.visitor import Visitor, location
from tick.models import audit_entry
from tick.ops import access


def test_every_change_is_listed_with_what_was_before_and_after(ada: Visitor) -> None:
    ada.post("/schedules/daily/enable")
    page = ada.page("/audit")
    assert "schedule.enable" in page
    assert "{&#34;enabled&#34;: false}" in page
    assert "{&#34;enabled&#34;: true}" in page
    assert 'href="/schedules/daily">To the schedule' in page


def test_changes_are_filtered_by_who_and_of_what(ada: Visitor) -> None:
    ada.post("/schedules/daily/enable")
    ada.post("/schedules/hourly/run")
    for query, found in (
        ("actor=ada", {"schedule.enable", "schedule.run"}),
        ("actor=ada&subject=hourly", {"schedule.run"}),
        ("subject=daily", {"schedule.add", "schedule.enable"}),
        ("actor=nobody", set()),
    ):
        page = ada.page(f"/audit?{query}")
        assert set(re.findall(r'<span class="chip">([a-z.]+)</span>', page)) == found, query
        assert found or "No change matches" in page


def test_older_changes_keep_the_filter(world: World, ada: Visitor) -> None:
    entry = {"at": world.now, "actor": "ada", "action": "schedule.run", "subject": "daily"}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(audit_entry), [entry] * 60)
    older = re.search(r'href="(/audit\?actor=ada&amp;before=\d+)"', ada.page("/audit?actor=ada"))
    assert older
    assert ada.page(older[1].replace("&amp;", "&")).count('<span class="chip">') == 10


def test_a_role_is_changed_and_ends_the_sessions(world: World, ada: Visitor, vic: Visitor) -> None:
    ada.page("/users")
    ada.post("/users/role", name="vic", role="ADMIN")
    assert "vic is admin now" in ada.page("/users")
    with world.database.read.connect() as connection:
        roles = {user.name: user.role for user in access.list_users(connection)}
    assert roles == {"ada": "ADMIN", "vic": "ADMIN"}
    assert location(vic.get("/schedules")).startswith("/login")


def test_somebody_is_disabled_and_enabled_again(ada: Visitor, vic: Visitor) -> None:
    page = ada.page("/users")
    ada.press(page, "/users/active")
    assert location(vic.get("/schedules")).startswith("/login")
    assert "vic is signed out for good." in ada.page("/users")
    ada.press(ada.page("/users"), "/users/active")
    assert vic.log_in("vic").answer.status_code == 303


def test_nobody_changes_their_own_account(world: World, ada: Visitor) -> None:
    assert ada.page("/users").count('action="/users/active"') == 1
    ada.post("/users/role", name="ada", role="VIEWER")
    ada.post("/users/active", name="ada", active="no")
    assert "This is your own account" in ada.page("/users")
    assert "Run now" in ada.page("/schedules")


def test_what_makes_no_sense_is_refused(ada: Visitor) -> None:
    assert ada.post("/users/role", name="vic", role="GOD").status_code == 400
    assert ada.post("/users/role", name="nobody", role="ADMIN").status_code == 404


def test_a_viewer_is_not_led_to_the_users(vic: Visitor) -> None:
    page = vic.page("/audit")
    assert 'href="/users"' not in page
    assert 'href="/workers"' in page
