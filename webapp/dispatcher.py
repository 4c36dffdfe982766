"""Evaluates alert rules and sends notifications in the console, in a thread beside requests."""

from flask import Flask, Response

from tick.notify.dispatcher import NotificationDispatcher
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
