"""Evaluates alert rules and sends notifications in the console, when somebody asks for a page.

That happens in a thread, so no request waits for a receiver.
"""

from flask import Flask, Response, current_app

from tick.notify.dispatcher import NotificationDispatcher
from tick.ops.act import Author
from tick.runtime import Runtime
from tick.ticks.result import TickResult
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
    every = PeriodicTimer(WATCH_SECONDS)

    def notice(response: Response) -> Response:
        if every.due:
            every.restart()
            dispatcher_of(app).run_in_thread()
        return response

    app.after_request(notice)


def look_around() -> None:
    """Start the dispatcher after something happened, without waiting."""
    dispatcher_of(current_app).run_in_thread()


def test_channels(author: Author) -> dict[str, str | None]:
    """Send a test message to every channel; return the errors, by channel."""
    return dispatcher_of(current_app).test(author)


def names_of_channels(rule: str) -> list[str]:
    """Return the ids, which hold no secret, of the channels that accept this rule."""
    return [channel.id for channel in dispatcher_of(current_app).channels if channel.accepts(rule)]


def after_tick(result: TickResult, seconds: float) -> None:
    """Start the dispatcher, and wait for it for at most so many seconds."""
    dispatcher_of(current_app).run_in_thread(result).join(max(0.0, seconds))
