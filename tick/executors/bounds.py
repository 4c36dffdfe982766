"""Bounds the texts that a job leaves in the database, and shows where they were cut."""

MAX_MESSAGE = 8 * 1024
MAX_TRACEBACK = 64 * 1024
MAX_NAME = 200
_NOTICE = 40  # characters for the words about the missing ones


def clean(text: str) -> str:
    """Return the text with NUL characters and lone surrogates replaced."""
    # PostgreSQL stores no NUL, and neither database a text that has no UTF-8.
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def cut(text: str, most: int, length: int | None = None) -> str:
    """Return the cleaned text in at most `most` characters: its head, a notice, its tail.

    `length` is how long it was, if something was left out of its middle before.
    """
    length = len(text) if length is None else length
    if length <= most:
        return clean(text)
    half = (most - _NOTICE) // 2
    missing = length - 2 * half
    return clean(f"{text[:half]} … {missing:,} characters cut … {text[-half:]}")
