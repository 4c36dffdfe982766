"""Types of settings that are lists or secrets, and settings that need another."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PositiveInt, SecretStr

LEAST_SECRET = 16


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < LEAST_SECRET:
        raise ValueError(
            f"must have at least {LEAST_SECRET} characters; make one: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return secret


Secret = Annotated[SecretStr, AfterValidator(_long_enough)]


def _split_limits(value: object) -> object:
    """Return `media=2,default=10` as a dictionary of texts."""
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    if not all(name.strip() and number.strip() for name, _, number in pairs):
        raise ValueError("write name=number, separated by commas")
    return {name.strip(): number.strip() for name, _, number in pairs}


Limits = Annotated[dict[str, PositiveInt], BeforeValidator(_split_limits)]


def _split_names(value: object) -> object:
    """Return `a, b` as a tuple."""
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


Names = Annotated[tuple[str, ...], BeforeValidator(_split_names)]

_NEEDS = {
    "trigger_secret_previous": "trigger_secret",
    "trigger_oidc_audience": "trigger_oidc_issuer",
    "trigger_oidc_subjects": "trigger_oidc_issuer",
    "trigger_oidc_emails": "trigger_oidc_issuer",
    "webhook_secret": "webhook_urls",
    "oidc_client_id": "oidc_issuer",
    "oidc_client_secret": "oidc_issuer",
    "oidc_admins": "oidc_issuer",
    "oidc_viewers": "oidc_issuer",
}


def without_effect(settings: object) -> Iterator[tuple[str, str]]:
    """Yield the settings that nothing reads, each with the one that is missing beside it."""
    for name, needed in _NEEDS.items():
        if getattr(settings, name) and not getattr(settings, needed):
            yield name, needed
