"""Settings, read once from `TICK_*` environment variables; a wrong value stops the start.

A secret may come from a file instead: `TICK_SECRET_KEY_FILE=/run/secrets/key` is read as
`TICK_SECRET_KEY`.
"""

import os
from collections.abc import Mapping
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)

from tick.environment import read_file_of
from tick.errors import SettingsError

PREFIX = "TICK_"
Secret = Annotated[SecretStr, Field(min_length=16)]


def _split_limits(value: object) -> object:
    """`media=2,default=10` as a dictionary; the numbers are checked later."""
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    if any(not number.strip() for _, _, number in pairs):
        raise ValueError("write name=number, separated by commas")
    return {name.strip(): number.strip() for name, _, number in pairs}


Limits = Annotated[dict[str, PositiveInt], BeforeValidator(_split_limits)]


class Settings(BaseModel):
    """All settings, with their defaults. Lengths are seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(
        "sqlite:///var/tick.db", description="SQLAlchemy URL of the manager's own database"
    )
    definitions: str = Field(
        "definitions", description="importable package that holds the jobs and schedules"
    )
    secret_key: Secret | None = Field(
        None, description="signs the console's sessions; the console needs it"
    )
    trigger_secret: Secret | None = Field(
        None, description="bearer secret of POST /internal/tick; without it there is no endpoint"
    )
    trigger_secret_previous: Secret | None = Field(
        None, description="a second valid trigger secret while the first is being rotated"
    )
    budget_seconds: float = Field(
        20.0, gt=0, le=600, description="how long one tick may work before it answers more=true"
    )
    http_budget_seconds: float = Field(
        1.5, gt=0, le=60, description="the same for a tick that comes by HTTP"
    )
    chunk_schedules: int = Field(
        1000, ge=1, le=10_000, description="due schedules fired in one transaction"
    )
    max_runs_per_tick: int = Field(
        10_000,
        ge=1,
        description="storm brake: a tick that has made as many runs leaves the rest for the next",
    )
    lock_seconds: float = Field(
        300.0, gt=0, description="a schedule locked longer ago than this may be claimed again"
    )
    worker_processes: int = Field(
        default_factory=lambda: max(2, min(8, os.cpu_count() or 2)),
        ge=1,
        le=64,
        description="child processes of one worker, each running one job at a time",
    )
    worker_poll_seconds: float = Field(
        0.5, gt=0, le=60, description="how often an idle worker looks for runs"
    )
    heartbeat_seconds: float = Field(15.0, gt=0, description="how often a process beats")
    dead_after_seconds: float = Field(
        90.0, gt=0, description="a process silent for longer is dead, and its runs are rescued"
    )
    drain_seconds: float = Field(
        25.0, ge=0, description="how long a stopping worker waits for its running jobs"
    )
    queue_limits: Limits = Field(
        default_factory=dict,
        description="most runs of a queue at one time, over all workers: `media=2,default=10`",
    )
    group_limits: Limits = Field(
        default_factory=dict, description="the same for groups of jobs: `feed=4`"
    )
    keep_days: int = Field(
        90, ge=1, description="`tick prune` deletes runs and logs that are older"
    )
    session_hours: float = Field(12.0, gt=0, description="a login lasts at most this long")
    cookie_secure: bool = Field(
        True, description="send the session cookie over https only; off for plain-http loopback"
    )
    proxy_hops: int = Field(
        0, ge=0, le=5, description="trusted reverse proxies in front of the console"
    )
    allowed_hosts: str = Field(
        "", description="comma-separated host names that the console answers to; empty: any"
    )

    @model_validator(mode="after")
    def _beats_often_enough(self) -> "Settings":
        if self.dead_after_seconds < 3 * self.heartbeat_seconds:
            raise ValueError(
                f"{PREFIX}DEAD_AFTER_SECONDS must be at least three times "
                f"{PREFIX}HEARTBEAT_SECONDS, or a living process counts as dead"
            )
        return self


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ` (default: the process's).

    Raises SettingsError naming each bad variable and what it must be.
    """
    environ = os.environ if environ is None else environ
    values = {
        name: environ[PREFIX + name.upper()]
        for name in Settings.model_fields
        if PREFIX + name.upper() in environ
    }
    values |= _from_files(environ)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _from_files(environ: Mapping[str, str]) -> dict[str, str]:
    variables = {name: f"{PREFIX}{name.upper()}_FILE" for name in Settings.model_fields}
    return {
        name: read_file_of(variable, environ)
        for name, variable in variables.items()
        if variable in environ
    }


def _explain(error: ValidationError) -> str:
    # The offending value is left out: it may be a secret.
    lines = [
        f"{PREFIX}{str(item['loc'][0]).upper()}: {item['msg']}." if item["loc"] else item["msg"]
        for item in error.errors(include_url=False, include_input=False)
    ]
    return "Settings: " + " ".join(lines)
