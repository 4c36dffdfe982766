"""What an action has to say on the next page: a toast, with a way on or back."""

from flask import flash


def tell(text: str, *, link: str | None = None, label: str | None = None) -> None:
    """Say that it worked; `link` leads on."""
    flash({"text": text, "link": link, "label": label}, "good")  # type: ignore[arg-type]


def tell_undoable(text: str, undo: str) -> None:
    """Say that it worked and offer to take it back by a POST to `undo`, for ten seconds."""
    flash({"text": text, "undo": undo}, "good")  # type: ignore[arg-type]


def tell_refusal(text: str, *, link: str | None = None, label: str | None = None) -> None:
    """Say why it was not done; `link` leads to what is in the way."""
    flash({"text": text, "link": link, "label": label}, "bad")  # type: ignore[arg-type]
