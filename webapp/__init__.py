"""The web console, the trigger endpoint and the health checks: thin views over `tick.ops`."""

import atexit
import logging
from contextlib import ExitStack

from flask import Flask

from tick.errors import SettingsError
from tick.ops.reports import days_off
from tick.runtime import Runtime, open_runtime
from webapp import compression, config, dispatcher, errors, presentation, query, services, waiting
from webapp.access import login, oidc_login, permissions, security
from webapp.api import routes as api_routes
from webapp.machines import health, metrics, trigger_auth, work
from webapp.machines import tick as trigger
from webapp.pages import (
    account,
    alerts,
    audit,
    backfills,
    bulk,
    bulk_schedules,
    calendars,
    jobs,
    load,
    logs,
    occurrences,
    overview,
    pins,
    preferences,
    runs,
    schedule_form,
    schedules,
    settings,
    stats,
    upcoming,
    users,
    windows,
    workers,
)

_log = logging.getLogger(__name__)
ACCESS = (login, oidc_login, account, users)
PAGES = (overview, schedules, schedule_form, bulk_schedules, pins, occurrences, runs, bulk, logs)
MORE_PAGES = (backfills, calendars, jobs, upcoming, load, workers, windows, alerts, stats, audit)
LAST_PAGES = (settings, preferences)
MACHINES = (health, metrics, trigger, work, api_routes)


def create_app(runtime: Runtime | None = None) -> Flask:
    """Return the WSGI application on `runtime`, by default one opened from the environment.

    Raises SettingsError when a setting that the console needs is missing.
    """
    if runtime is None:
        stack = ExitStack()
        atexit.register(stack.close)
        runtime = stack.enter_context(open_runtime())
    try:
        days_off.check(runtime.settings.holidays)
    except SettingsError as error:
        # Not fatal: a new version of the library may rename a region.
        _log.warning("%s Until then the console shows none of its holidays.", error)
    app = Flask(__name__)
    app.config.from_mapping(config.from_settings(runtime.settings))
    services.init_app(app, runtime)
    security.init_app(app, runtime.settings)
    compression.init_app(app)
    login.init_app(app)
    permissions.init_app(app)
    query.init_app(app)
    oidc_login.init_app(app, runtime.settings)
    trigger_auth.init_app(app, runtime.settings)
    dispatcher.init_app(app, runtime)
    presentation.init_app(app)
    waiting.init_app(app, runtime.settings.log_streams)
    errors.init_app(app)
    for module in (*ACCESS, *PAGES, *MORE_PAGES, *LAST_PAGES, *MACHINES):
        app.register_blueprint(module.blueprint)
    return app
