"""The application that a WSGI server loads: `gunicorn webapp.wsgi:app`."""

from pathlib import Path

from flask import Flask
from gunicorn.errors import AppImportError
from gunicorn.http.errors import ParseException

from tick.errors import SettingsError, TickError
from tick.settings import load_settings
from tick.telemetry.logs import log_to_stderr
from webapp import create_app, dispatcher
from webapp.errors import answer


def load() -> Flask:
    """Return the application. Raises AppImportError."""
    # By which gunicorn ends with one line for the operator, not with a traceback.
    try:
        log_to_stderr(load_settings().log_format)
        _check_fetched_files(Path(__file__).parent / "static" / "vendor")
        app = create_app()
    except TickError as error:
        raise AppImportError(str(error)) from error
    # A body in chunks is parsed while it is read: a mistake in it is the sender's, not ours.
    app.register_error_handler(ParseException, lambda _: answer(400, "This body cannot be read."))
    return app


def _check_fetched_files(folder: Path) -> None:
    # A wheel that was built without them would serve pages without style, and say nothing.
    if not folder.is_dir():
        raise SettingsError(
            "The console's style sheets and scripts are not installed: install the wheel that "
            "`python3 dev.py wheel` builds."
        )


app = load()
dispatcher.watch(app)
