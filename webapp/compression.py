"""Sends static files in gzip, each compressed once a process."""

import gzip
from functools import lru_cache

from flask import Flask, Response, request

_COMPRESSIBLE = {"text/css", "text/javascript", "application/javascript", "image/svg+xml"}
_LEAST_BYTES = 500


def init_app(app: Flask) -> None:
    """Compress what the endpoint `static` sends to browsers that take gzip."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    # Never pages: they carry form tokens beside text that strangers can add to, and the length of
    # the whole would tell the secret (the BREACH attack).
    if request.endpoint != "static" or response.mimetype not in _COMPRESSIBLE:
        return response
    response.vary.add("Accept-Encoding")
    whole = response.status_code == 200 and "Range" not in request.headers
    if not whole or not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= _LEAST_BYTES:
        response.set_data(_gzipped(body))
        response.content_encoding = "gzip"
        # Weak: the same tag stands for the file as it is and in gzip, which differ in bytes.
        response.headers["ETag"] = f"W/{response.headers['ETag']}"
    return response


@lru_cache(maxsize=64)
def _gzipped(body: bytes) -> bytes:
    return gzip.compress(body, 9, mtime=0)
