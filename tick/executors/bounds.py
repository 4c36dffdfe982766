"""What a job may leave in the database is bounded, and what was cut is shown."""

MAX_MESSAGE = 8 * 1024
MAX_TRACEBACK = 64 * 1024
MAX_NAME = 200
_NOTICE = 40


def clean(text: str) -> str:
    """The text without what a database refuses: NUL characters and lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def cut(text: str, most: int, length: int | None = None) -> str:
    """The cleaned text in at most `most` characters: its head, what is missing, its tail.

    `length` is how long it was, if something was left out of its middle before.
    """
    length = len(text) if length is None else length
    if length <= most:
        return clean(text)
    half = (most - _NOTICE) // 2
    missing = length - 2 * half
    return clean(f"{text[:half]} … {missing:,} characters cut … {text[-half:]}")
