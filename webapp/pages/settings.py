"""The page of settings, which are read here and changed where the installation is started."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from pydantic import SecretStr

import tick
from tick.cron.zone_data import current
from tick.ops.queries.installation import describe_installation
from tick.settings import PREFIX, Settings
from webapp.services import read, runtime

blueprint = Blueprint("settings", __name__)


@dataclass(frozen=True)
class SettingRow:
    """A setting as it may be shown; `is_chosen` unless it has its default."""

    variable: str
    value: str
    description: str
    is_chosen: bool


@blueprint.get("/settings")
def index() -> ResponseReturnValue:
    """Show the effective settings, without a secret in them, and what is installed."""
    return render_template(
        "settings.html",
        settings=list(setting_rows(runtime().settings)),
        installation=read(describe_installation),
        version=tick.__version__,
        zone_data=current(),
    )


def setting_rows(settings: Settings) -> Iterator[SettingRow]:
    """Yield every setting; of a secret only whether it is set."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        chosen = name in settings.model_fields_set
        yield SettingRow(
            PREFIX + name.upper(), _words(name, value), field.description or "", chosen
        )


def _words(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return "set, and kept secret"
    if name == "database_url":
        # A password may stand in the query, too.
        return sa.make_url(value).set(query={}).render_as_string(hide_password=True)
    if isinstance(value, dict):
        return ", ".join(f"{key}={number}" for key, number in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
