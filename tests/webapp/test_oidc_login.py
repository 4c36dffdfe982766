"""Signing in with an identity provider: a real one, on this machine, whose tokens are signed."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
import sqlalchemy as sa
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from tests.support.factories import TESTER, World
from tests.support.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Key,
    Provider,
    run_provider,
)
from tests.webapp.scenes import SETTINGS
from tests.webapp.visitor import Visitor, location
from tick import clock
from tick.engine.ledger.audit import Act
from tick.errors import SettingsError
from tick.ops.access import users
from tick.runtime import Runtime
from tick.settings import Settings, load_settings
from tick.states import Role
from tick.store.tables import audit_entry, user
from webapp import create_app
from webapp.access.oidc_login import role_of

GRACE = {"sub": "g-1", "preferred_username": "grace", "groups": ["operators", "staff"]}


@pytest.fixture(scope="module")
def key() -> Key:
    return Key("first")


@pytest.fixture(scope="module")
def other_key() -> Key:
    return Key("first")


@pytest.fixture
def provider(key: Key) -> Iterator[Provider]:
    """A provider that knows Grace, an operator."""
    with run_provider(key) as provider:
        provider.person = GRACE
        yield provider


def settings_for(provider: Provider, **changed: Any) -> Settings:
    usual = {
        "oidc_issuer": provider.address,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": SecretStr(CLIENT_SECRET),
        "oidc_name": "Example ID",
        "oidc_admins": ("operators",),
        "oidc_viewers": ("staff", "auditors"),
    }
    return SETTINGS.model_copy(update=usual | changed)


@pytest.fixture
def app(world: World, provider: Provider) -> Flask:
    """A console that people sign in to with that provider."""
    return create_app(Runtime(settings_for(provider), world.database))


def begin(visitor: Visitor, target: str = "") -> str:
    """The address at the provider that the button leads to."""
    found: str = location(visitor.get(f"/login/provider?next={target}"))
    return found


def approve(address: str) -> str:
    """What the browser brings back from the provider: path and query at the console."""
    answer = requests.get(address, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    assert (back.hostname, back.path) == ("localhost", "/login/return")
    return f"{back.path}?{back.query}"


def sign_in(visitor: Visitor, target: str = "") -> TestResponse:
    """There and back."""
    return visitor.get(approve(begin(visitor, target)))


def accounts(world: World) -> dict[str, tuple[str, str | None]]:
    rows = world.rows(sa.select(user).order_by(user.c.id))
    return {row.name: (row.role, row.external_id) for row in rows}


def is_inside(visitor: Visitor) -> bool:
    return visitor.get("/schedules").status_code == 200


def test_the_login_page_offers_it_beside_the_password(stranger: Visitor) -> None:
    page = stranger.page("/login?next=/runs")
    assert "Sign in with Example ID" in page
    assert 'href="/login/provider?next=/runs"' in page
    assert 'name="password"' in page


def test_who_has_a_role_is_in_with_an_account_of_their_own(
    world: World, provider: Provider, stranger: Visitor
) -> None:
    assert location(sign_in(stranger, "/runs")) == "/runs"
    assert "grace" in stranger.page("/schedules")
    assert accounts(world)["grace"] == ("ADMIN", f"{provider.address} g-1")
    assert stranger.post("/schedules/daily/run").status_code == 303
    created, acted = world.rows(sa.select(audit_entry).order_by(audit_entry.c.id))[-2:]
    assert (created.actor, created.action, created.subject) == ("system", "user.create", "grace")
    assert acted.actor == "grace"


def test_the_second_time_it_is_the_same_account(world: World, app: Flask) -> None:
    sign_in(Visitor(app))
    before = accounts(world)
    sign_in(Visitor(app))
    assert accounts(world) == before


def test_the_request_has_state_nonce_and_a_hashed_verifier(stranger: Visitor) -> None:
    first, second = begin(stranger), begin(stranger)
    asked = [parse_qs(urlsplit(address).query) for address in (first, second)]
    for query in asked:
        assert query["response_type"] == ["code"]
        assert query["scope"] == ["openid profile email"]
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == ["http://localhost/login/return"]
        assert all(len(query[name][0]) >= 30 for name in ("state", "nonce", "code_challenge"))
    assert all(asked[0][name] != asked[1][name] for name in ("state", "nonce", "code_challenge"))


# Who may come in


@pytest.mark.parametrize("groups", [[], None, "operator", ["Operators"], [{"a": 1}, 7], {"x": "y"}])
def test_nobody_gets_in_unless_a_group_is_mapped(
    world: World, provider: Provider, stranger: Visitor, groups: Any
) -> None:
    provider.person = {**GRACE, "groups": groups}
    before = accounts(world)
    refused = sign_in(stranger)
    assert refused.status_code == 403
    assert "Ask an administrator" in refused.text
    assert not is_inside(stranger)
    assert accounts(world) == before


@pytest.mark.parametrize(
    ("claim", "claims", "role"),
    [
        ("groups", {"groups": ["operators"]}, Role.ADMIN),
        ("groups", {"groups": "operators"}, Role.ADMIN),
        ("groups", {"groups": ["staff"]}, Role.VIEWER),
        ("groups", {"groups": ["staff", "operators"]}, Role.ADMIN),
        ("groups", {"roles": ["operators"]}, None),
        ("realm.roles", {"realm": {"roles": ["operators"]}}, Role.ADMIN),
        ("realm.roles", {"realm": ["operators"]}, None),
        ("https://example.org/roles", {"https://example.org/roles": ["staff"]}, Role.VIEWER),
        ("email", {"email": "operators", "email_verified": True}, Role.ADMIN),
        ("email", {"email": "operators", "email_verified": "yes"}, None),
        ("email", {"email": "operators"}, None),
    ],
)
def test_the_role_comes_from_the_claim_that_is_named(
    claim: str, claims: dict[str, Any], role: Role | None
) -> None:
    changed = {"oidc_admins": ("operators",), "oidc_viewers": ("staff",), "oidc_roles_claim": claim}
    assert role_of(claims, SETTINGS.model_copy(update=changed)) == role


def test_a_role_that_changed_there_ends_the_sessions_here(
    world: World, app: Flask, provider: Provider
) -> None:
    before, after = Visitor(app), Visitor(app)
    sign_in(before)
    provider.person = {**GRACE, "groups": ["auditors"]}
    sign_in(after)
    assert accounts(world)["grace"][0] == "VIEWER"
    assert not is_inside(before)
    assert is_inside(after)
    assert after.post("/schedules/daily/run").status_code == 403
    changed = world.rows(sa.select(audit_entry).order_by(audit_entry.c.id))[-1]
    assert (changed.actor, changed.action, changed.subject) == ("system", "user.role", "grace")
    assert (changed.before, changed.after) == ({"role": "ADMIN"}, {"role": "VIEWER"})


def test_a_sign_in_is_noted(world: World, stranger: Visitor) -> None:
    began = clock.now()
    sign_in(stranger)
    ((noted,),) = world.rows(sa.select(user.c.last_login_at).where(user.c.name == "grace"))
    assert noted >= began


def test_who_is_switched_off_here_stays_outside(world: World, app: Flask) -> None:
    visitor = Visitor(app)
    sign_in(visitor)
    users.set_active(world.database, Act(clock.now(), TESTER), "grace", False)
    assert not is_inside(visitor)
    assert sign_in(visitor).status_code == 403
    assert not is_inside(visitor)


def test_the_name_of_somebody_here_links_to_nothing(
    world: World, provider: Provider, stranger: Visitor
) -> None:
    provider.person = {**GRACE, "preferred_username": "Ada", "groups": ["staff"]}
    sign_in(stranger)
    assert is_inside(stranger)
    assert accounts(world)["ada"] == ("ADMIN", None)
    assert accounts(world)["Ada (g-1)"][0] == "VIEWER"


@pytest.mark.parametrize("name", ["system", "token:deployer"])
def test_nobody_takes_the_name_by_which_the_audit_calls_a_program(
    world: World, provider: Provider, stranger: Visitor, name: str
) -> None:
    provider.person = {**GRACE, "preferred_username": name}
    sign_in(stranger)
    assert is_inside(stranger)
    (made,) = accounts(world).keys() - {"ada", "vic"}
    assert made != name and made.endswith(("(g-1)", " g-1"))


def test_what_nobody_can_see_is_left_out_of_a_name(
    world: World, provider: Provider, stranger: Visitor
) -> None:
    provider.person = {**GRACE, "preferred_username": "gr\u202ea\x1b\u200bce"}
    sign_in(stranger)
    assert "grace" in accounts(world)


def test_the_same_subject_of_another_issuer_is_somebody_else(
    world: World, app: Flask, key: Key
) -> None:
    sign_in(Visitor(app))
    with run_provider(key) as elsewhere:
        elsewhere.person = GRACE
        other = create_app(Runtime(settings_for(elsewhere), world.database))
        sign_in(Visitor(other))
    assert {"grace", "grace (g-1)"} <= accounts(world).keys()


def test_no_password_opens_such_an_account(app: Flask, stranger: Visitor) -> None:
    sign_in(stranger)
    for password in ("", " ", "grace"):
        assert Visitor(app).log_in("grace", password).answer.status_code == 401


# What must not let anybody in


def refused(visitor: Visitor, path: str) -> str:
    """The page of a return that is refused, and leaves nobody inside."""
    response = visitor.get(path)
    assert response.status_code == 401, response.status_code
    assert "did not work" in response.text
    assert not is_inside(visitor)
    return response.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?code=x",
        "?state=",
        "?code=x&state=",
        "?code=x&state=-",
        "?error=access_denied",
        "?state=é",
    ],
)
def test_a_return_that_nobody_began_is_refused(stranger: Visitor, query: str) -> None:
    refused(stranger, f"/login/return{query}")


def test_the_return_belongs_to_the_browser_that_began(app: Flask, stranger: Visitor) -> None:
    back = approve(begin(stranger))
    victim = Visitor(app)
    begin(victim)
    refused(victim, back)


def test_a_return_works_once(stranger: Visitor) -> None:
    back = approve(begin(stranger))
    stranger.get(back)
    stranger.page("/schedules")
    stranger.post("/logout")
    refused(stranger, back)


def test_a_begun_line_ends_with_its_first_line_break(stranger: Visitor) -> None:
    back = approve(begin(stranger))
    refused(stranger, back + "&iss=https://elsewhere.example")
    refused(stranger, back)


@pytest.mark.parametrize("state", ["", "-", "é"])
def test_a_return_with_another_state_is_refused(stranger: Visitor, state: str) -> None:
    address = begin(stranger)
    right = parse_qs(urlsplit(address).query)["state"][0]
    refused(stranger, approve(address).replace(f"state={right}", f"state={state}"))


def test_a_person_who_says_no_at_the_provider_is_told_so_without_its_words(
    stranger: Visitor,
) -> None:
    state = parse_qs(urlsplit(begin(stranger)).query)["state"][0]
    page = refused(stranger, f"/login/return?state={state}&error=<script>alert(1)</script>")
    assert "<script>alert" not in page


def test_an_answer_in_the_name_of_another_issuer_is_refused(stranger: Visitor) -> None:
    refused(stranger, approve(begin(stranger)) + "&iss=https://elsewhere.example")


PAST = int((clock.now() - timedelta(minutes=5)).timestamp())


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": ["another client"], "azp": CLIENT_ID},
        {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
        {"iss": "https://elsewhere.example"},
        {"exp": PAST},
        {"exp": None},
        {"sub": None},
        {"sub": "x" * 256},
        {"sub": "a\0b"},
    ],
)
def test_an_identity_that_is_not_for_us_now_is_refused(
    provider: Provider, stranger: Visitor, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    refused(stranger, approve(begin(stranger)))


def test_an_identity_that_somebody_else_signed_is_refused(
    provider: Provider, stranger: Visitor, other_key: Key
) -> None:
    stranger.get("/login/provider")
    provider.key = other_key
    refused(stranger, approve(begin(stranger)))


def test_an_identity_that_nobody_signed_is_refused(
    provider: Provider, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsigned = lambda _self, **said: jwt.encode(said, None, "none", headers={"kid": "first"})  # noqa: E731
    monkeypatch.setattr(Provider, "sign", unsigned)
    refused(stranger, approve(begin(stranger)))


def test_a_provider_that_answers_with_nonsense_lets_nobody_in(
    provider: Provider, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = approve(begin(stranger))
    monkeypatch.setattr(Provider, "exchange", lambda *_: {"token_type": "Bearer"})
    refused(stranger, back)


def test_a_provider_that_is_away_is_said_to_be(provider: Provider, stranger: Visitor) -> None:
    provider.status = 500
    response = stranger.get("/login/provider")
    assert response.status_code == 503
    assert "cannot be reached" in response.text
    assert stranger.log_in("ada").answer.status_code == 303


# The session


def test_a_cookie_from_before_is_worth_nothing_afterwards(stranger: Visitor) -> None:
    back = approve(begin(stranger))
    before = stranger.client.get_cookie("tick")
    stranger.get(back)
    assert before is not None and is_inside(stranger)
    stranger.client.set_cookie("tick", before.value)
    assert not is_inside(stranger)


def test_signing_in_takes_the_place_of_whoever_was_signed_in(app: Flask) -> None:
    visitor = Visitor(app).log_in("vic")
    sign_in(visitor)
    assert "grace" in visitor.page("/schedules")


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/" + "x" * 5000]
)
def test_it_leads_to_no_other_site(stranger: Visitor, target: str) -> None:
    assert location(sign_in(stranger, target)) == "/"


# Settings


def test_no_cookie_grows_by_where_it_is_to_lead(stranger: Visitor) -> None:
    far = "/" + Random(1).randbytes(4000).hex()  # what a cookie cannot shrink by compressing
    assert location(sign_in(stranger, far)) == "/"
    assert is_inside(stranger)


def test_without_a_provider_there_is_no_such_place(world: World) -> None:
    visitor = Visitor(create_app(Runtime(SETTINGS, world.database)))
    assert "single sign-on" not in visitor.page("/login")
    assert visitor.get("/login/provider").status_code == 404
    assert visitor.get("/login/return?code=x&state=y").status_code == 404


def test_passwords_can_be_switched_off_where_a_provider_does_it(
    world: World, provider: Provider
) -> None:
    settings = settings_for(provider, password_login=False)
    app = create_app(Runtime(settings, world.database))
    app.config["WTF_CSRF_ENABLED"] = False
    visitor = Visitor(app)
    page = visitor.page("/login")
    assert "Example ID" in page and 'type="password"' not in page
    assert visitor.log_in("ada").answer.status_code == 403
    assert not is_inside(visitor)


def test_a_provider_that_would_let_nobody_in_stops_the_start() -> None:
    environment = {"TICK_OIDC_ISSUER": "https://id.example", "TICK_OIDC_CLIENT_ID": "console"}
    with pytest.raises(SettingsError, match="nobody could sign in"):
        load_settings(environment)
    environment["TICK_OIDC_VIEWERS"] = "staff"
    assert load_settings(environment).oidc_viewers == ("staff",)


def test_no_way_in_at_all_stops_the_start() -> None:
    with pytest.raises(SettingsError, match=r"^Settings: [^V].*TICK_OIDC_ISSUER"):
        load_settings({"TICK_PASSWORD_LOGIN": "false"})
