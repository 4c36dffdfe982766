"""Passwords: refused if others would guess them, kept as argon2id hashes, compared."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tick.errors import Refused

MIN_PASSWORD = 12
MAX_PASSWORD = 256
# Words that a guesser tries first here.
CONTEXT_WORDS = ("job", "schedule", "scheduler", "manager", "tick", "console", "admin", "viewer")
_MOST_JUDGED, _GOOD_ENOUGH = 72, 4
# The parameters that OWASP's password storage cheat sheet names first for argon2id.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str, name: str) -> str:
    """The hash of a new password of the account `name`. Raises Refused for a weak one."""
    try:
        password.encode()
    except UnicodeEncodeError:
        raise Refused("This password is no UTF-8 text; nobody could type it.") from None
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Refused(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    if why := _easily_guessed(password, name):
        raise Refused(f"This password is easy to guess: {why} A few unrelated words are good.")
    return _hasher.hash(password)


@cache
def nobodys_hash() -> str:
    """A hash to compare with when no user has the name, so that this takes as long."""
    return _hasher.hash("nobody's password")


def matches(password_hash: str, password: str) -> bool:
    """Whether the hash is that of the password."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def rehashed(password_hash: str, password: str) -> str:
    """The hash of a password that has just matched, made anew if the parameters have changed."""
    return _hasher.hash(password) if _hasher.check_needs_rehash(password_hash) else password_hash


def _easily_guessed(password: str, name: str) -> str | None:
    """Why the password can be guessed in 10**10 attempts; None if it can't."""
    from zxcvbn import zxcvbn  # its lists take a tenth of a second, which no tick must wait for

    found = zxcvbn(password[:_MOST_JUDGED], [*CONTEXT_WORDS, name])
    if found["score"] >= _GOOD_ENOUGH:
        return None
    return found["feedback"]["warning"] or "it is put together from common parts."
