"""Who changed what, and who may."""

import csv
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.support.factories import World
from tests.webapp.visitor import Visitor, location
from tick.ops.access import users
from tick.ops.queries import audit, id_ranges
from tick.ops.queries.audit import AuditFilter
from tick.settings import Settings
from tick.store.tables import audit_entry
from webapp.pages import audit as audit_page
from webapp.pages.settings import setting_rows


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
        assert set(re.findall(r'<a class="chip" href="[^"]+">([a-z.]+)</a>', page)) == found, query
        assert found or "No change matches" in page


def test_older_changes_keep_the_filter(world: World, ada: Visitor) -> None:
    entry = {"at": world.now, "actor": "ada", "action": "schedule.run", "subject": "daily"}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(audit_entry), [entry] * 60)
    older = re.search(r'href="(/audit\?actor=ada&amp;before=\d+)"', ada.page("/audit?actor=ada"))
    assert older
    assert ada.page(older[1].replace("&amp;", "&")).count('<a class="chip"') == 10


def test_a_role_is_changed_and_ends_the_sessions(world: World, ada: Visitor, vic: Visitor) -> None:
    ada.page("/users")
    ada.post("/users/role", name="vic", role="ADMIN")
    assert "vic is admin now" in ada.page("/users")
    with world.database.read.connect() as connection:
        roles = {user.name: user.role for user in users.list_users(connection)}
    assert roles == {"ada": "ADMIN", "vic": "ADMIN"}
    assert location(vic.get("/schedules")).startswith("/login")


def test_somebody_is_disabled_and_enabled_again(ada: Visitor, vic: Visitor) -> None:
    page = ada.page("/users")
    ada.press(page, "/users/active")
    assert location(vic.get("/schedules")).startswith("/login")
    assert "vic is signed out for good." in ada.page("/users")
    ada.press(ada.page("/users"), "/users/active")
    assert vic.log_in("vic").answer.status_code == 303


def test_of_two_administrators_the_second_learns_what_the_first_has_done(
    app: Flask, world: World, ada: Visitor, vic: Visitor
) -> None:
    both_read = ada.page("/users")
    read = re.findall(r'name="revision" value="(\w+)"', both_read)[0]
    asked = ada.page(f"/users/password?name=vic&revision={read}")
    ada.press(both_read, "/users/active")
    for page, action in ((both_read, "role"), (both_read, "active"), (asked, "password")):
        assert location(ada.press(page, f"/users/{action}")) == "/users"
        assert "vic is VIEWER and may not sign in. Read it again" in ada.page("/users")
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


def test_changes_are_filtered_by_what_was_done_and_when(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/enable")
    later = {"at": world.now + timedelta(days=30), "actor": "ada", "action": "x.y", "subject": "z"}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(audit_entry), later)
    day = f"{world.now + timedelta(days=7):%Y-%m-%d}"
    for query, found in (
        ("action=schedule.", {"schedule.add", "schedule.enable"}),
        ("action=schedule.enable", {"schedule.enable"}),
        (f"since={day}", {"x.y"}),
        (f"until={day}&actor=ada", {"schedule.enable"}),
    ):
        page = ada.page(f"/audit?{query}")
        assert set(re.findall(r'<a class="chip" href="[^"]+">([a-z.]+)</a>', page)) == found, query
    refused = ada.get("/audit?since=soon")
    assert refused.status_code == 422
    assert "write 30m, 24h" in refused.text


def test_what_a_link_is_made_of_cannot_be_asked_for(ada: Visitor) -> None:
    odd = "_external=1&_scheme=javascript&_anchor=x&endpoint=users.index&kind=xls"
    page = ada.page("/audit?actor=ada")
    assert set(re.findall(r'href="([^"]*/audit\.[^"]*)"', page)) == {
        "/audit.csv?actor=ada",
        "/audit.json?actor=ada",
    }
    for path in ("/audit", "/runs"):
        refused = ada.get(f"{path}?{odd}&actor=ada")
        assert refused.status_code == 422
        assert not re.search(r'href="[^"]*(javascript|xls)', refused.text)


def test_changes_are_taken_along_as_a_table_that_runs_nothing(world: World, ada: Visitor) -> None:
    ada.page("/schedules")
    ada.post("/schedules/daily/disable")
    ada.post("/schedules/daily/enable")
    ada.post("/schedules/daily/disable", reason="=HYPERLINK(1)")
    response = ada.get("/audit.csv?actor=ada")
    assert response.content_type == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    head, *rows = csv.reader(response.text.splitlines())
    assert head[:5] == ["id", "at", "actor", "action", "subject"]
    assert [row[3] for row in rows] == ["schedule.disable", "schedule.enable"]
    assert rows[0][head.index("reason")] == "'=HYPERLINK(1)"


def test_changes_are_taken_along_as_json_as_many_as_there_are(world: World, ada: Visitor) -> None:
    entry = {"at": world.now, "actor": "eve", "action": "schedule.run", "subject": "daily"}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(audit_entry), [entry] * 2500)
    found = ada.get("/audit.json?actor=eve").json
    assert len(found) == 2500
    assert found[0]["id"] > found[-1]["id"]
    assert found[0]["at"].endswith("Z")
    assert ada.get("/audit.json?actor=nobody").json == []
    assert ada.get("/audit.xls").status_code == 404


def test_a_rare_change_is_found_a_stretch_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(id_ranges, "SEARCHED", 5)
    entry = {"at": world.now, "action": "schedule.run", "subject": "daily"}
    actors = ["eve", *["bob"] * 12]
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(audit_entry), [{**entry, "actor": each} for each in actors])
        page = audit.list_audit(connection, AuditFilter(actor="eve"))
        pages = [page]
        while page.next is not None:
            page = audit.list_audit(connection, AuditFilter(actor="eve"), before=int(page.next))
            pages.append(page)
    assert len(pages) > 2
    assert [row.actor for page in pages for row in page.items] == ["eve"]


def test_a_time_begins_with_its_first_instant_and_ends_before_its_last(world: World) -> None:
    entry = {"at": world.now, "actor": "eve", "action": "schedule.run", "subject": "daily"}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(audit_entry), entry)
        found = {
            name: len(
                audit.list_audit(connection, AuditFilter(actor="eve", **{name: world.now})).items
            )
            for name in ("since", "until")
        }
    assert found == {"since": 1, "until": 0}


def test_no_more_changes_are_taken_along_than_the_page_says(
    world: World, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_page, "MOST_EXPORTED", 5)
    monkeypatch.setattr(audit_page, "_AT_ONCE", 2)
    entry = {"at": world.now, "actor": "eve", "action": "schedule.run", "subject": "daily"}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(audit_entry), [entry] * 7)
    assert len(ada.get("/audit.json?actor=eve").json) == 5


def test_somebody_is_added_and_gets_a_password_that_is_shown_once(app: Flask, ada: Visitor) -> None:
    ada.page("/users")
    page = ada.post("/users", name="eva", role="VIEWER").text
    password = re.search(r'value="([\w-]{24})"', page)
    assert password
    assert password[1] not in ada.page("/users")
    assert Visitor(app).log_in("eva", password[1]).answer.status_code == 303
    assert location(ada.post("/users", name="eva", role="VIEWER")) == "/users"
    assert "There is a user" in ada.page("/users")


def test_a_new_password_replaces_the_old_and_ends_the_sessions(
    app: Flask, ada: Visitor, vic: Visitor
) -> None:
    assert "New password for vic?" in ada.page("/users/password?name=vic")
    password = re.search(r'value="([\w-]{24})"', ada.post("/users/password", name="vic").text)
    assert password
    assert location(vic.get("/schedules")).startswith("/login")
    assert Visitor(app).log_in("vic", password[1]).answer.status_code == 303
    assert location(ada.post("/users/password", name="ada")) == "/users"
    assert "This is your own account" in ada.page("/users")


def test_the_settings_are_shown_without_any_secret(world: World, ada: Visitor) -> None:
    page = ada.page("/settings")
    assert "TICK_SECRET_KEY" in page
    assert page.count("set, and kept secret") == 2
    for secret in ("a secret that only tests know", "a trigger secret for tests"):
        assert secret not in page
    assert "`" not in page
    assert "<code>" in page.partition('data-label="Meaning"')[2]
    for fact in ("schema 0", "set 1, ", ("SQLite ", "PostgreSQL ")):
        assert any(one in page for one in (fact if isinstance(fact, tuple) else (fact,)))


def test_a_password_in_the_databases_address_is_not_shown() -> None:
    url = "postgresql://tick:hush@db.example/tick?password=hush&sslmode=require"
    shown = {one.variable: one for one in setting_rows(Settings(database_url=url))}
    assert shown["TICK_DATABASE_URL"].value == "postgresql://tick:***@db.example/tick"
    assert shown["TICK_DATABASE_URL"].is_chosen
    assert not shown["TICK_KEEP_DAYS"].is_chosen
