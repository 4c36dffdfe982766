"""Reading on through a short outage: a console deployed anew, a database that fails over."""

import time
from collections.abc import Callable
from typing import TypeVar

import click

from tick.errors import Unavailable
from tick.store.database import TRANSIENT, short_error

PATIENCE_SECONDS = 300
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0
Answer = TypeVar("Answer")


def retry_reads(ask: Callable[[], Answer]) -> Answer:
    """Return what `ask` answers, asked again in growing pauses while nobody can answer.

    Only for what changes nothing: it may have been heard although no answer came. Standard error
    says that it waits, and when that is over. After PATIENCE_SECONDS it raises what `ask` raised.
    """
    began, pause, away = time.monotonic(), FIRST_PAUSE_SECONDS, False
    while True:
        try:
            found = ask()
        except (Unavailable, *TRANSIENT) as error:
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise
            if not away:
                _tell_outage(error)
            away = True
        else:
            if away:
                click.echo("There is an answer again; waiting goes on.", err=True)
            return found
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _tell_outage(error: Exception) -> None:
    said = str(error) if isinstance(error, Unavailable) else f"The database: {short_error(error)}."
    minutes = PATIENCE_SECONDS // 60
    click.echo(f"{said}\nAsking again for {minutes} minutes; the work itself goes on.", err=True)
