"""The console watches, too: that nothing ticks is noticed by whoever looks at a page.

A round goes on in a thread of its own, so no request waits for a receiver.
"""

from flask import Flask, Response, current_app

from tick.notify.dispatcher import Courier
from tick.ops.actions.control import Author
from tick.runtime import Runtime
from tick.ticks.result import TickResult
from tick.timers import PeriodicTimer

WATCH_SECONDS = 60.0
_EXTENSION = "courier"


def init_app(app: Flask, runtime: Runtime) -> None:
    """Give the application its courier. Raises SettingsError for a channel that can't work."""
    app.extensions[_EXTENSION] = Courier(runtime)
    courier_of(app).check()


def courier_of(app: Flask) -> Courier:
    """The application's courier."""
    found: Courier = app.extensions[_EXTENSION]
    return found


def watch(app: Flask) -> None:
    """Let any request start a round, at most one in a minute and process."""
    every = PeriodicTimer(WATCH_SECONDS)

    def notice(response: Response) -> Response:
        if every.due:
            every.restart()
            courier_of(app).start_round()
        return response

    app.after_request(notice)


def look_around() -> None:
    """Start a round after something happened, and don't wait for it."""
    courier_of(current_app).start_round()


def test_channels(author: Author) -> dict[str, str | None]:
    """Send a test message to every channel; what went wrong, by channel."""
    return courier_of(current_app).test(author)


def names_of_channels(rule: str) -> list[str]:
    """The channels by which alerts of this rule go, by names without a secret."""
    return [channel.id for channel in courier_of(current_app).channels if channel.takes(rule)]


def after_tick(result: TickResult, seconds: float) -> None:
    """Start a round, and wait for it for what is left of the tick's time."""
    courier_of(current_app).start_round(result).join(max(0.0, seconds))
