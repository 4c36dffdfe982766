"""The process's environment, beside the settings: secrets by name, and what a command inherits."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tick.errors import SettingsError

_SECRET = re.compile(r"SECRET|TOKEN|ALERT_URLS|WEBHOOK_URLS|PING_URL|SENTRY_DSN")


def read_secret(name: str, environ: Mapping[str, str] | None = None) -> str:
    """A secret of the user's own: the variable's value, or what is in the file `<name>_FILE`.

    Raises SettingsError when there is neither.
    """
    environ = os.environ if environ is None else environ
    if name in environ:
        return environ[name]
    if f"{name}_FILE" in environ:
        return read_file_of(f"{name}_FILE", environ)
    raise SettingsError(
        f"The secret {name} is missing: set {name}, or {name}_FILE to a file that holds it."
    )


def read_file_of(variable: str, environ: Mapping[str, str]) -> str:
    """What is in the file that the variable names. Raises SettingsError."""
    try:
        return Path(environ[variable]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingsError(
            f"{variable}: cannot read {environ[variable]!r} ({why}); "
            "point it at a readable file that holds the value."
        ) from None


def inherited_by_commands(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """All variables but the manager's own secrets."""
    environ = os.environ if environ is None else environ
    return {
        name: value
        for name, value in environ.items()
        if not (name.startswith("TICK_") and _SECRET.search(name))
    }


def variables() -> frozenset[str]:
    """The names of all variables."""
    return frozenset(os.environ)


def secret_files(environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    """The files that hold the manager's secrets, by variable."""
    environ = os.environ if environ is None else environ
    return {
        name: Path(value)
        for name, value in environ.items()
        if name.startswith("TICK_") and name.endswith("_FILE")
    }
