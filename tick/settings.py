"""Settings, read once from `TICK_*` environment variables; a wrong value stops the start.

A secret may come from a file instead: `TICK_SECRET_KEY_FILE=/run/secrets/key` is read as
`TICK_SECRET_KEY`.
"""

import os
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)

from tick.environment import PRODUCTION, read_variable
from tick.errors import SettingsError
from tick.setting_types import Limits, Names, Secret, without_effect
from tick.zone_sources import chosen_sources

PREFIX = "TICK_"
_ENVIRONMENT = "TICK_ENVIRONMENT"
# Keys that come over plain http could be anybody's; a loopback address is for tests.
_HTTP = re.compile(r"https?://[^/?#\s]+")
_ISSUER = r"^(https://[^?#\s]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/[^?#\s]*)?)?$"


class Settings(BaseModel):
    """All settings, with their defaults. Lengths are seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(
        "sqlite:///var/tick.db", description="SQLAlchemy URL of the manager's own database"
    )
    zone_data: str = Field(
        "newest",
        description="time zone data to go by: `newest` of the machine's, `system`, `package` "
        "(tzdata), or the absolute path of a folder",
    )
    definitions: str = Field(
        "definitions", description="importable package that holds the jobs and schedules"
    )
    environment: str = Field(
        PRODUCTION,
        pattern=r"^[a-z0-9][a-z0-9._-]{0,49}$",
        description="what this installation is, such as `staging`; a database belongs to one",
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
    trigger_header: str = Field(
        "X-Tick-Secret",
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,59}$",
        description="header that may carry the trigger secret instead of Authorization",
    )
    trigger_oidc_issuer: str = Field(
        "",
        pattern=_ISSUER,
        description="issuer whose signed tokens may tick, exactly as it stands in them",
    )
    trigger_oidc_audience: str = Field(
        "", description="audience that such a token must name; usually the endpoint's address"
    )
    trigger_oidc_subjects: Names = Field(
        (), description="comma-separated subjects (`sub`) for whom such a token may be made out"
    )
    trigger_oidc_emails: Names = Field(
        (), description="the same by verified e-mail addresses (`email`)"
    )
    budget_seconds: float = Field(
        20.0, gt=0, le=600, description="how long one tick may work before it answers more=true"
    )
    http_budget_seconds: float = Field(
        1.5, gt=0, le=60, description="the same for a tick that comes by HTTP"
    )
    body_seconds: float = Field(
        10.0, gt=0, le=300, description="how long a client may take to send a request's body"
    )
    bodies_at_once: int = Field(
        4, ge=1, le=1000, description="requests of one process whose body may be on its way at once"
    )
    http_work_seconds: float = Field(
        45.0, ge=5, le=3600, description="how long one POST /internal/work may claim and run"
    )
    chunk_schedules: int = Field(
        1000, ge=1, le=10_000, description="due schedules fired in one transaction"
    )
    max_runs_per_tick: int = Field(
        10_000,
        ge=1,
        description="storm brake: a tick that has made as many runs leaves the rest for the next",
    )
    worker_processes: int = Field(
        default_factory=lambda: max(2, min(8, os.cpu_count() or 2)),
        ge=1,
        le=64,
        description="child processes of one worker, each running one job at a time",
    )
    worker_threads: int = Field(
        16,
        ge=1,
        le=256,
        description='threads of one worker for jobs with `isolation="thread"`, if there are any',
    )
    log_lines: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="how many lines of one attempt's log are kept: the first four fifths and the "
        "last; beside them a fifth as many warnings, errors and milestones from between",
    )
    worker_poll_seconds: float = Field(
        0.5, gt=0, le=60, description="how often a worker looks for runs that it has not heard of"
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
        90, ge=1, le=36_500, description="runs and their occurrences are kept so many days"
    )
    keep_log_days: int = Field(
        90, ge=1, le=36_500, description="log lines are kept so many days, but no longer than runs"
    )
    keep_tick_days: int = Field(
        14, ge=1, le=36_500, description="the log of ticks is kept so many days"
    )
    keep_statistics_days: int = Field(
        800, ge=1, le=36_500, description="statistics by the hour are kept so many days"
    )
    keep_runs: PositiveInt | None = Field(
        None, description="most runs that are kept, whatever their age; empty: no limit"
    )
    keep_log_lines: PositiveInt | None = Field(None, description="the same for log lines")
    keep_ticks: PositiveInt | None = Field(None, description="the same for the log of ticks")
    log_format: Literal["text", "json"] = Field(
        "text", description="how processes log: `text`, or `json` for one object a line"
    )
    traces: Literal["off", "otlp"] = Field(
        "off", description="`otlp` sends traces by OpenTelemetry; OTEL_* variables say where to"
    )
    sentry_dsn: SecretStr | None = Field(
        None, description="sends an event to Sentry for each run that failed"
    )
    metrics_token: Secret | None = Field(
        None, description="bearer token that reads /metrics; without it only API tokens do"
    )
    holidays: Names = Field(
        (), description="regions whose public holidays the console names, by commas: `DE-BY,US`"
    )
    public_url: str = Field(
        "", pattern=r"^(https?://[^?#\s]+)?$", description="where people reach the console"
    )
    alert_urls: SecretStr | None = Field(
        None, description="Apprise URLs that alerts go to, separated by spaces or lines"
    )
    alert_settle_seconds: float = Field(
        10.0, ge=0, le=600, description="how long an alert waits for others, to be one message"
    )
    alert_rate_seconds: float = Field(
        60.0, ge=0, le=86400, description="least time between two messages of the same rule"
    )
    webhook_urls: SecretStr | None = Field(
        None, description="URLs that get alerts and ended occurrences as signed JSON"
    )
    webhook_secret: Secret | None = Field(
        None, description="what those requests are signed with; like every secret, 16 characters"
    )
    ping_url: SecretStr | None = Field(
        None, description="dead-man's switch that each tick pings, Healthchecks style"
    )
    password_login: bool = Field(
        True, description="sign in by name and password; off where an identity provider does it"
    )
    oidc_issuer: str = Field(
        "", pattern=_ISSUER, description="OpenID provider that people sign in with besides"
    )
    oidc_client_id: str = Field("", description="what that provider calls this console")
    oidc_client_secret: SecretStr | None = Field(
        None, description="what this console proves itself to the provider with"
    )
    oidc_name: str = Field("single sign-on", description="what the login page calls the provider")
    oidc_scopes: str = Field(
        "openid profile email", description="scopes to ask the provider for, between spaces"
    )
    oidc_roles_claim: str = Field(
        "groups", description="claim that decides the role, `a.b` for b inside a; or `email`"
    )
    oidc_admins: Names = Field(
        (), description="comma-separated values of that claim that make an ADMIN"
    )
    oidc_viewers: Names = Field(
        (), description="the same for a VIEWER; whoever has neither stays outside"
    )
    session_hours: float = Field(12.0, gt=0, description="a login lasts at most this long")
    session_idle_hours: float = Field(
        4.0, gt=0, description="and ends when its person has done nothing for so long"
    )
    actions_a_minute: int = Field(
        60, ge=1, le=10_000, description="changes that one person or token may make in a minute"
    )
    logins_a_minute: int = Field(
        60, ge=1, le=10_000, description="passwords that may be tried from one address in a minute"
    )
    log_streams: int = Field(
        2, ge=0, le=100, description="open logs that one web process streams; others are polled"
    )
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
    def _finds_zone_data(self) -> "Settings":
        chosen_sources(self.zone_data)
        return self

    @model_validator(mode="after")
    def _beats_often_enough(self) -> "Settings":
        # Two lost beats must not make a living process dead: its runs would be run twice.
        if self.dead_after_seconds < 3 * self.heartbeat_seconds:
            raise ValueError(
                f"{PREFIX}DEAD_AFTER_SECONDS must be at least three times "
                f"{PREFIX}HEARTBEAT_SECONDS, or a living process counts as dead"
            )
        return self

    @model_validator(mode="after")
    def _tells_only_whom_it_can(self) -> "Settings":
        if self.webhook_urls is not None and self.webhook_secret is None:
            raise ValueError(
                f"{PREFIX}WEBHOOK_URLS needs {PREFIX}WEBHOOK_SECRET: receivers can't trust what "
                "is not signed"
            )
        for name in ("webhook_urls", "ping_url"):
            secret: SecretStr | None = getattr(self, name)
            for url in secret.get_secret_value().split() if secret else ():
                if not _HTTP.match(url):
                    raise ValueError(f"{PREFIX}{name.upper()} must begin with http:// or https://")
        return self

    @model_validator(mode="after")
    def _pins_who_may_tick(self) -> "Settings":
        pinned = self.trigger_oidc_audience and (
            self.trigger_oidc_subjects or self.trigger_oidc_emails
        )
        if self.trigger_oidc_issuer and not pinned:
            raise ValueError(
                f"{PREFIX}TRIGGER_OIDC_ISSUER needs {PREFIX}TRIGGER_OIDC_AUDIENCE, and "
                f"{PREFIX}TRIGGER_OIDC_SUBJECTS or {PREFIX}TRIGGER_OIDC_EMAILS: else anybody whom "
                "the issuer knows could tick"
            )
        return self

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> "Settings":
        complete = self.oidc_client_id and (self.oidc_admins or self.oidc_viewers)
        if self.oidc_issuer and not complete:
            raise ValueError(
                f"{PREFIX}OIDC_ISSUER needs {PREFIX}OIDC_CLIENT_ID, and {PREFIX}OIDC_ADMINS or "
                f"{PREFIX}OIDC_VIEWERS: else nobody could sign in by it"
            )
        if not self.oidc_issuer and not self.password_login:
            raise ValueError(f"without {PREFIX}PASSWORD_LOGIN there must be {PREFIX}OIDC_ISSUER")
        return self


def where_definitions_are(environ: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return what TICK_DEFINITIONS and TICK_ENVIRONMENT name: the package, and for whom it is."""
    # Read by themselves: checking definitions needs no other setting to be right.
    environ = os.environ if environ is None else environ
    default: str = Settings.model_fields["definitions"].default
    return environ.get(f"{PREFIX}DEFINITIONS", default), environ.get(_ENVIRONMENT, PRODUCTION)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from `environ` (default: the process's). Raises SettingsError."""
    environ = os.environ if environ is None else environ
    names = {name: PREFIX + name.upper() for name in Settings.model_fields}
    read = {name: read_variable(key, environ) for name, key in names.items()}
    values = {name: value for name, value in read.items() if value is not None}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    if useless := next(without_effect(settings), None):
        name, needed = (f"{PREFIX}{each.upper()}" for each in useless)
        raise SettingsError(
            f"Settings: {name} has no effect without {needed}; set that as well, or leave it out."
        )
    return settings


def _explain(error: ValidationError) -> str:
    lines = []
    # The offending value is left out: it may be a secret.
    for item in error.errors(include_url=False, include_input=False):
        text = item["msg"].removeprefix("Value error, ")
        lines.append(f"{PREFIX}{str(item['loc'][0]).upper()}: {text}." if item["loc"] else text)
    return "Settings: " + " ".join(lines)
