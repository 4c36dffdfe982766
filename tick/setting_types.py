"""How settings that are more than a word or a number are written down."""

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
    """`media=2,default=10` as a dictionary; the numbers are checked later."""
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    if not all(name.strip() and number.strip() for name, _, number in pairs):
        raise ValueError("write name=number, separated by commas")
    return {name.strip(): number.strip() for name, _, number in pairs}


Limits = Annotated[dict[str, PositiveInt], BeforeValidator(_split_limits)]


def _split_names(value: object) -> object:
    """`a, b` as a tuple."""
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


Names = Annotated[tuple[str, ...], BeforeValidator(_split_names)]
