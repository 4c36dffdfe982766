"""Messages of an action, shown once on the next page as toasts with a way on or back."""

from flask import flash


def flash_success(
    text: str, *, link: str | None = None, label: str | None = None, undo: str | None = None
) -> None:
    """Say that it worked; `link` leads on, a POST to `undo` takes it back for ten seconds."""
    flash({"text": text, "link": link, "label": label, "undo": undo}, "good")  # type: ignore[arg-type]


def flash_error(text: str, *, link: str | None = None, label: str | None = None) -> None:
    """Say why it was not done; `link` leads to what is in the way."""
    flash({"text": text, "link": link, "label": label}, "bad")  # type: ignore[arg-type]
