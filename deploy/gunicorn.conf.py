"""How gunicorn serves the console: `gunicorn --config gunicorn.conf.py webapp.wsgi:app`.

Beside the TICK_* settings it reads PORT (then it listens on every interface; else on
127.0.0.1:8000), WEB_BIND (exactly here: host:port, or unix:/path), WEB_CONCURRENCY (processes),
WEB_THREADS (of each process), WEB_TIMEOUT_SECONDS (a process that hangs longer is replaced) and
WEB_GRACE_SECONDS (how long a stop waits for requests).
"""

import os
import re
from os import environ

from gunicorn.glogging import Logger

_everywhere = f"0.0.0.0:{environ['PORT']}" if environ.get("PORT") else ""

bind = environ.get("WEB_BIND") or _everywhere or "127.0.0.1:8000"
worker_class = "gthread"
workers = int(environ.get("WEB_CONCURRENCY") or 2)
threads = int(environ.get("WEB_THREADS") or 8)
# A log that is streamed holds a thread: a quarter of them at most.
environ.setdefault("TICK_LOG_STREAMS", str(threads // 4))
# And so does a body that is slow to come: the rest is left for pages and the trigger.
environ.setdefault("TICK_BODIES_AT_ONCE", str(max(1, threads // 2)))
timeout = int(environ.get("WEB_TIMEOUT_SECONDS") or 30)
graceful_timeout = int(environ.get("WEB_GRACE_SECONDS") or 20)
keepalive = 5
# Each process opens its own database connections: they must not cross a fork.
preload_app = False

# X-Forwarded-* is the application's to judge (TICK_PROXY_HOPS); here nobody is believed.
forwarded_allow_ips = ""
# Beats go through a file; on a disk, a busy one would make a process look dead.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True


class AccessLog(Logger):
    """Logs a path without its query and without the secret of a calendar's address.

    And as it was sent: decoded, it could forge a line.
    """

    def atoms(self, resp, req, request_environ, request_time):
        """The values that the format may name."""
        path = request_environ["RAW_URI"].partition("?")[0]
        path = re.sub(r"/feeds/.*", "/feeds/***", path)
        return super().atoms(resp, req, request_environ, request_time) | {"U": path}


logger_class = AccessLog
accesslog = "-"
if environ.get("TICK_LOG_FORMAT") == "json":
    logconfig_dict = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "tick.telemetry.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            name: {"level": "INFO", "handlers": ["stderr"], "propagate": False, "qualname": name}
            for name in ("gunicorn.error", "gunicorn.access")
        },
    }
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)s ms "%(a)s"'
