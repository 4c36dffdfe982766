"""A proxy that gives the console a path of its host, and strips it from what it passes on."""

from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Response

PREFIX = "/ops"


class StrippingProxy:
    """Passes on what lies below the path, and says so in a header; nothing else is here."""

    def __init__(self, app: Any, says: str = PREFIX) -> None:
        self.app, self.says = app, says

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            return Response("Nothing is here.", 404)(environ, start_response)
        passed = {"PATH_INFO": path.removeprefix(PREFIX), "HTTP_X_FORWARDED_PREFIX": self.says}
        forwarded = {"HTTP_X_FORWARDED_FOR": environ.get("REMOTE_ADDR", "")}
        answer: Iterable[bytes] = self.app({**environ, **passed, **forwarded}, start_response)
        return answer
