"""`tick token`: made, shown once, listed, revoked."""

import sqlalchemy as sa

from tests.cli.conftest import CommandLine
from tick import clock
from tick.ops.access import tokens
from tick.states import TokenScope
from tick.store.tables import audit_entry


def test_create_prints_the_token_once(tick: CommandLine) -> None:
    first, second = tick.good("token", "create", "deployer", "--role", "ADMIN").splitlines()
    assert first.startswith("Token 1, deployer, opens api as ADMIN until 20")
    text = second.removeprefix("Token (shown only now): ")
    found = tokens.authenticate(tick.database, text, now=clock.now())
    assert found is not None and found.role == "ADMIN"
    assert text not in tick.good("token", "list") + str(tick.rows(sa.select(audit_entry)))


def test_create_as_json(tick: CommandLine) -> None:
    made = tick.json("token", "create", "dashboard")
    assert (made["name"], made["role"], made["token"][:5]) == ("dashboard", "VIEWER", "tick_")


def test_create_refuses_a_name_that_is_taken_and_a_life_too_long(tick: CommandLine) -> None:
    tick.good("token", "create", "deployer")
    assert "already" in tick.bad("token", "create", "deployer")
    assert "--days" in tick.bad("token", "create", "other", "--days", "100000", status=2)


def test_a_token_for_one_thing_opens_only_that(tick: CommandLine) -> None:
    text = tick.json("token", "create", "calendar", "--scope", "feed")["token"]
    found = tokens.authenticate(tick.database, text, now=clock.now(), scope=TokenScope.FEED)
    assert found is not None and found.scope == "feed"
    assert tokens.authenticate(tick.database, text, now=clock.now()) is None
    said = tick.bad("token", "create", "prometheus", "--scope", "metrics", "--role", "ADMIN")
    assert "VIEWER" in said


def test_list_says_how_each_token_stands(tick: CommandLine) -> None:
    assert "tick token create" in tick("token", "list").stderr
    tick.good("token", "create", "deployer")
    tick.good("token", "create", "stolen", "--days", "7")
    tick.good("token", "revoke", "2")
    assert [(row["name"], row["state"]) for row in tick.json("token", "list")] == [
        ("stolen", "revoked"),
        ("deployer", "usable"),
    ]
    assert tick.good("token", "list").splitlines()[1].split("\t")[:5] == [
        "2",
        "stolen",
        "VIEWER",
        "api",
        "revoked",
    ]


def test_revoke_is_done_once(tick: CommandLine) -> None:
    tick.good("token", "create", "deployer")
    assert tick.good("token", "revoke", "1") == "Token 1 is revoked.\n"
    assert tick.good("token", "revoke", "1") == "Token 1 was revoked already.\n"
    assert "no token 2" in tick.bad("token", "revoke", "2")
