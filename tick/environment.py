"""The process's environment, beside the settings: secrets by name, and what a command inherits."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tick.errors import SettingsError

PRODUCTION = "production"
"""What an installation is unless it is told."""
_SECRET = re.compile(r"SECRET|TOKEN|ALERT_URLS|WEBHOOK_URLS|PING_URL|SENTRY_DSN")


def read_secret(name: str, environ: Mapping[str, str] | None = None) -> str:
    """Return a secret: the variable's value or the content of its file. Raises SettingsError."""
    value = read_variable(name, environ)
    if value is None:
        raise SettingsError(
            f"The secret {name} is missing: set {name}, or {name}_FILE to a file that holds it."
        )
    return value


def read_variable(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Return the variable's value or the content of its file; None if neither is set.

    Raises SettingsError if the file can't be read.
    """
    environ = os.environ if environ is None else environ
    if name in environ:
        return environ[name]
    return read_file_of(f"{name}_FILE", environ) if f"{name}_FILE" in environ else None


def read_file_of(variable: str, environ: Mapping[str, str]) -> str:
    """Return the content of the file that the variable names. Raises SettingsError."""
    try:
        return Path(environ[variable]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingsError(
            f"{variable}: cannot read {environ[variable]!r} ({why}); "
            "point it at a readable file that holds the value."
        ) from None


def inherited_by_commands(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return all variables but the manager's own secrets."""
    environ = os.environ if environ is None else environ
    # Only secrets of ours: TICK_DATABASE_URL stays, for a job may call `tick` itself.
    own = {name for name in environ if name.startswith("TICK_") and _SECRET.search(name)}
    return {name: environ[name] for name in environ if name not in own}


def variables() -> frozenset[str]:
    """Return the names of all variables."""
    return frozenset(os.environ)


def secret_files(environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Return the files that hold the manager's secrets, by variable."""
    environ = os.environ if environ is None else environ
    return {
        name: Path(value)
        for name, value in environ.items()
        if name.startswith("TICK_") and name.endswith("_FILE")
    }
