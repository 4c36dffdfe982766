"""What a WSGI server loads: `gunicorn webapp.wsgi:app`."""

from tick.settings import load_settings
from tick.telemetry.logs import log_to_stderr
from webapp import create_app, watching

log_to_stderr(load_settings().log_format)
app = create_app()
watching.watch(app)
