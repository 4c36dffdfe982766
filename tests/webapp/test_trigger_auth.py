"""Who may trigger: secrets in three places, and identities that one pinned issuer signs."""

import base64
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr, ValidationError

from tests.support.factories import World
from tests.support.identity_provider import Key, Provider, run_provider
from tests.webapp.scenes import SETTINGS
from tick import clock
from tick.errors import SettingsError
from tick.runtime import Runtime
from tick.settings import Settings, load_settings
from webapp import create_app
from webapp.access import issuer
from webapp.access.issuer import BadToken, Issuer, IssuerAway
from webapp.machines import trigger_auth

SECRET, AUDIENCE = "a trigger secret for tests", "https://tick.example/internal/tick"


@pytest.fixture(scope="module")
def key() -> Key:
    return Key("first")


@pytest.fixture(scope="module")
def other_key() -> Key:
    return Key("other")


@pytest.fixture
def provider(key: Key) -> Iterator[Provider]:
    with run_provider(key) as provider:
        yield provider


def console(world: World, **settings: Any) -> FlaskClient:
    return create_app(Runtime(SETTINGS.model_copy(update=settings), world.database)).test_client()


@pytest.fixture
def client(world: World, provider: Provider) -> FlaskClient:
    """A console that takes the provider's word for 4711, and for a verified address."""
    return console(
        world,
        trigger_oidc_issuer=provider.address,
        trigger_oidc_audience=AUDIENCE,
        trigger_oidc_subjects=("4711",),
        trigger_oidc_emails=("ticker@example.org",),
    )


def status(client: FlaskClient, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/internal/tick", headers=named).status_code


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_the_secret_comes_in_any_of_three_places(client: FlaskClient) -> None:
    assert status(client, Authorization=f"Bearer {SECRET}") == 200
    assert status(client, Authorization=basic(f"any name:{SECRET}")) == 200
    assert status(client, X_Tick_Secret=SECRET) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": basic(SECRET)},
        {"Authorization": basic(f"{SECRET}:")},
        {"Authorization": basic("any name:wrong")},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic ÿ"},
        {"Authorization": "Basic"},
        {"Authorization": f"Digest {SECRET}"},
        {"X-Tick-Secret": ""},
        {"X-Tick-Secret": "wrong"},
        {"X-Tick-Secret": f"Bearer {SECRET}"},
        {"X-Other-Header": SECRET},
        {"Cookie": f"secret={SECRET}"},
    ],
)
def test_nothing_else_opens_it(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/internal/tick", headers=headers).status_code == 401


def test_a_secret_in_the_address_opens_nothing(client: FlaskClient) -> None:
    assert client.post(f"/internal/tick?secret={SECRET}&token={SECRET}").status_code == 401


def test_the_header_may_have_another_name(world: World) -> None:
    client = console(world, trigger_header="X-Api-Key")
    assert status(client, X_Api_Key=SECRET) == 200
    assert status(client, X_Tick_Secret=SECRET) == 401


def test_a_secret_beyond_ascii_works_as_its_utf_8_bytes(world: World) -> None:
    client = console(world, trigger_secret=SecretStr("schlüssel für den takt"))
    assert (
        status(
            client, Authorization="Bearer " + "schlüssel für den takt".encode().decode("latin-1")
        )
        == 200
    )


@pytest.mark.parametrize(
    "offered", [SECRET, "the older secret of two", "w", "", SECRET[:-1], SECRET + "!"]
)
def test_right_and_wrong_secrets_cost_the_same_comparisons(
    app: Flask, monkeypatch: pytest.MonkeyPatch, offered: str
) -> None:
    older = SecretStr("the older secret of two")
    settings = SETTINGS.model_copy(update={"trigger_secret_previous": older})
    compared: list[int] = []
    same = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append(len(one) + len(other))
        return same(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    with app.test_request_context(headers={"X-Tick-Secret": offered}):
        right = trigger_auth._holds_a_secret(settings, offered.encode())
    assert right is (offered in (SECRET, older.get_secret_value()))
    assert compared == [64] * 6


# Identities


def test_an_allowed_subject_or_a_verified_address_may_trigger(
    client: FlaskClient, provider: Provider
) -> None:
    by_subject = provider.sign(aud=AUDIENCE)
    by_address = provider.sign(
        aud=["x", AUDIENCE], sub="1", email="ticker@example.org", email_verified=True
    )
    assert status(client, Authorization=f"Bearer {by_subject}") == 200
    assert status(client, Authorization=f"Bearer {by_address}") == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "4712"},
        {"sub": "4711 "},
        {"sub": "1", "email": "ticker@example.org"},
        {"sub": "1", "email": "ticker@example.org", "email_verified": False},
        {"sub": "1", "email": "ticker@example.org", "email_verified": "true"},
        {"sub": "1", "email": "TICKER@example.org", "email_verified": True},
        {"sub": "ticker@example.org"},
    ],
)
def test_another_person_of_the_same_issuer_is_403(
    client: FlaskClient, provider: Provider, claims: dict[str, Any]
) -> None:
    token = provider.sign(aud=AUDIENCE, **claims)
    response = client.post("/internal/tick", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 403
    assert "TICK_TRIGGER_OIDC_SUBJECTS" in response.json["error"]


PAST = int((clock.now() - timedelta(minutes=5)).timestamp())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"aud": AUDIENCE + "/"},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": PAST},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"nbf": 2**40},
    ],
)
def test_a_token_for_another_place_or_time_is_401(
    client: FlaskClient, provider: Provider, claims: dict[str, Any]
) -> None:
    token = provider.sign(**{"aud": AUDIENCE, **claims})
    assert status(client, Authorization=f"Bearer {token}") == 401


def claims_of(provider: Provider) -> dict[str, Any]:
    return jwt.decode(provider.sign(aud=AUDIENCE), options={"verify_signature": False})


def test_a_token_without_a_signature_is_401(client: FlaskClient, provider: Provider) -> None:
    token = jwt.encode(claims_of(provider), None, "none", headers={"kid": "first"})
    assert status(client, Authorization=f"Bearer {token}") == 401


def test_the_public_key_does_not_serve_as_a_shared_secret(
    client: FlaskClient, provider: Provider
) -> None:
    shared = str(provider.key.published()["n"])
    token = jwt.encode(claims_of(provider), shared, "HS256", headers={"kid": "first"})
    assert status(client, Authorization=f"Bearer {token}") == 401


def test_a_shared_secret_among_the_keys_is_not_used(
    client: FlaskClient, provider: Provider
) -> None:
    shared = {"kty": "oct", "kid": "shared", "k": "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"}
    provider.published.append(shared)
    token = jwt.encode(claims_of(provider), b"A" * 32, "HS256", headers={"kid": "shared"})
    assert status(client, Authorization=f"Bearer {token}") == 401
    assert issuer._usable([shared]) == {}


def test_a_key_that_is_not_for_signing_proves_nothing(
    client: FlaskClient, provider: Provider, other_key: Key
) -> None:
    provider.published.append(other_key.published() | {"use": "enc"})
    token = provider.sign(other_key, aud=AUDIENCE)
    assert status(client, Authorization=f"Bearer {token}") == 401


def test_a_key_that_the_token_brings_along_is_not_used(
    client: FlaskClient, provider: Provider, other_key: Key
) -> None:
    for kid in ("first", "other"):
        headers = {
            "kid": kid,
            "jwk": other_key.published(),
            "jku": f"{provider.address}/attackers-keys",
            "x5u": f"{provider.address}/attackers-keys",
        }
        token = jwt.encode(claims_of(provider), other_key.private, "RS256", headers=headers)
        assert status(client, Authorization=f"Bearer {token}") == 401
    assert set(provider.asked) == {"/.well-known/openid-configuration", "/keys"}


@pytest.mark.parametrize(
    "text", ["a.b.c", "..", "é.é.é", "eyJ.eyJ.x", "x" * 5000 + "..", "[].[].[]"]
)
def test_what_only_looks_like_a_token_is_401(client: FlaskClient, text: str) -> None:
    assert status(client, Authorization=f"Bearer {text}") == 401


# Its keys


def test_the_keys_are_read_once_an_hour(provider: Provider) -> None:
    trusted, now = Issuer(provider.address), clock.now()
    token = provider.sign(aud=AUDIENCE)
    for minutes in (0, 1, 59, 61, 62):
        trusted.claims(token, AUDIENCE, now + timedelta(minutes=minutes))
    assert provider.asked.count("/keys") == 2


def test_a_new_key_is_found_and_unknown_ones_do_not_make_us_ask_and_ask(
    provider: Provider, other_key: Key
) -> None:
    trusted, now = Issuer(provider.address), clock.now()
    trusted.claims(provider.sign(aud=AUDIENCE), AUDIENCE, now)
    rotated = provider.sign(other_key, aud=AUDIENCE)
    for seconds in (1, 2, 29):
        with pytest.raises(BadToken, match="does not have"):
            trusted.claims(rotated, AUDIENCE, now + timedelta(seconds=seconds))
    assert provider.asked.count("/keys") == 1
    provider.published.append(other_key.published())
    assert trusted.claims(rotated, AUDIENCE, now + timedelta(seconds=30))["sub"] == "4711"
    assert provider.asked.count("/keys") == 2


def test_known_keys_serve_on_while_the_issuer_is_away(provider: Provider) -> None:
    trusted, now = Issuer(provider.address), clock.now()
    token = provider.sign(aud=AUDIENCE)
    trusted.claims(token, AUDIENCE, now)
    provider.status = 500
    assert trusted.claims(token, AUDIENCE, now + timedelta(hours=2))["sub"] == "4711"


def test_without_any_key_the_answer_is_503_and_a_time_to_come_back(
    client: FlaskClient, provider: Provider
) -> None:
    provider.status = 500
    headers = {"Authorization": f"Bearer {provider.sign(aud=AUDIENCE)}"}
    response = client.post("/internal/tick", headers=headers)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert status(client, Authorization=f"Bearer {SECRET}") == 200


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://elsewhere.example"}, {"jwks_uri": None}, {"jwks_uri": "nowhere"}],
)
def test_an_issuer_that_misdescribes_itself_is_not_believed(
    provider: Provider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    with pytest.raises(IssuerAway):
        Issuer(provider.address).claims(provider.sign(aud=AUDIENCE), AUDIENCE, clock.now())


def test_keys_behind_a_redirect_or_without_end_are_not_read(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer, "_MAX_BYTES", 100)
    with pytest.raises(ValueError, match="too much"):
        issuer._fetch(f"{provider.address}/keys")
    with pytest.raises(ValueError, match="answered 302"):
        issuer._fetch(f"{provider.address}/moved")
    assert provider.asked == ["/keys", "/moved"]


@pytest.mark.parametrize("name", sorted(issuer.ENDPOINTS))
def test_an_issuer_by_https_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    address = "https://id.example"
    described = {each: f"{address}/{each}" for each in issuer.ENDPOINTS} | {"issuer": address}
    monkeypatch.setattr(issuer, "_fetch", lambda _: described)
    assert issuer._fetch_metadata(address) == described
    described[name] = f"http://id.example/{name}"
    with pytest.raises(ValueError, match=f"its {name} is not https"):
        issuer._fetch_metadata(address)


# Settings


def test_without_a_secret_an_issuer_alone_opens_the_endpoint(
    world: World, provider: Provider
) -> None:
    pinned = {
        "trigger_secret": None,
        "trigger_oidc_issuer": provider.address,
        "trigger_oidc_audience": AUDIENCE,
        "trigger_oidc_subjects": ("4711",),
    }
    client = console(world, **pinned)
    assert status(client, Authorization=f"Bearer {provider.sign(aud=AUDIENCE)}") == 200
    assert status(client, Authorization="Bearer ") == 401
    assert status(client, X_Tick_Secret="") == 401


def test_an_issuer_without_audience_and_subject_stops_the_start() -> None:
    environment = {"TICK_TRIGGER_OIDC_ISSUER": "https://issuer.example"}
    with pytest.raises(SettingsError, match="anybody whom the issuer knows"):
        load_settings(environment)
    environment["TICK_TRIGGER_OIDC_AUDIENCE"] = AUDIENCE
    with pytest.raises(SettingsError, match="TICK_TRIGGER_OIDC_SUBJECTS"):
        load_settings(environment)
    environment["TICK_TRIGGER_OIDC_SUBJECTS"] = "one, two,"
    assert load_settings(environment).trigger_oidc_subjects == ("one", "two")


@pytest.mark.parametrize(
    "address",
    ["http://issuer.example", "http://localhost.evil.example", "issuer", "https://", "ftp://x"],
)
def test_an_issuer_whose_keys_could_be_anybodys_stops_the_start(address: str) -> None:
    with pytest.raises(ValidationError):
        Settings(
            trigger_oidc_issuer=address,
            trigger_oidc_audience=AUDIENCE,
            trigger_oidc_subjects=("1",),
        )
