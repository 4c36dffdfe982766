"""Evaluates alert rules and sends notifications in the console, in a thread beside requests."""

from flask import Flask, Response, current_app

from tick.notify.dispatcher import NotificationDispatcher
from tick.ops.act import Author
from tick.runtime import Runtime
from tick.timers import PeriodicTimer

WATCH_SECONDS = 60.0
_EXTENSION = "dispatcher"


def init_app(app: Flask, runtime: Runtime) -> None:
    """Give the application its dispatcher. Raises SettingsError for a channel that can't work."""
    app.extensions[_EXTENSION] = NotificationDispatcher(runtime)
    dispatcher_of(app).check()


def dispatcher_of(app: Flask) -> NotificationDispatcher:
    """Return the application's dispatcher."""
    found: NotificationDispatcher = app.extensions[_EXTENSION]
    return found


def watch(app: Flask) -> None:
    """Let requests start the dispatcher, at most once in a minute and process."""
    # So that alerts go out while somebody looks, even where ticks and workers have died.
    every = PeriodicTimer(WATCH_SECONDS)

    def notice(response: Response) -> Response:
        if every.due:
            every.restart()
            dispatcher_of(app).run_in_thread()
        return response

    app.after_request(notice)


def test_channels(author: Author) -> dict[str, str | None]:
    """Send a test message to every channel; return the errors, by channel."""
    return dispatcher_of(current_app).test(author)


def names_of_channels(rule: str) -> list[str]:
    """Return the ids, which hold no secret, of the channels that accept this rule."""
    return [channel.id for channel in dispatcher_of(current_app).channels if channel.accepts(rule)]
