"""The web console, the trigger endpoint and the health checks: thin views over `tick.ops`."""

import atexit
from contextlib import ExitStack

from flask import Flask

from tick.runtime import Runtime, open_runtime
from webapp import auth, config, errors, health, permissions, presentation, security, services
from webapp import tick_endpoint as trigger
from webapp.api import routes as api_routes
from webapp.pages import (
    audit,
    jobs,
    occurrences,
    overview,
    preferences,
    runs,
    schedules,
    upcoming,
    users,
    workers,
)

BLUEPRINTS = (
    auth.blueprint,
    overview.blueprint,
    schedules.blueprint,
    occurrences.blueprint,
    runs.blueprint,
    jobs.blueprint,
    upcoming.blueprint,
    workers.blueprint,
    audit.blueprint,
    users.blueprint,
    preferences.blueprint,
    health.blueprint,
    trigger.blueprint,
    api_routes.blueprint,
)


def create_app(runtime: Runtime | None = None) -> Flask:
    """The WSGI application on `runtime` (default: one opened from the environment).

    Raises SettingsError when a setting that the console needs is missing.
    """
    runtime = runtime or _runtime_of_this_process()
    app = Flask(__name__)
    app.config.from_mapping(config.from_settings(runtime.settings))
    services.init_app(app, runtime)
    security.init_app(app, runtime.settings)
    auth.init_app(app)
    permissions.init_app(app)
    presentation.init_app(app)
    errors.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _runtime_of_this_process() -> Runtime:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(open_runtime())
