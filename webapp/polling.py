"""Live regions: parts of a page that ask for themselves again, and cost nothing while unchanged.

htmx sends the tag of what it shows as `HX-PTag`. The tag is made of the data and not of the HTML,
which differs each time (relative times, form tokens).
"""

import hashlib
from typing import Any

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

_HEADER = "HX-PTag"


def page(template: str, region: str, data: object, **context: Any) -> ResponseReturnValue:
    """The page; to its live region asking again, 304 or the page with a fresh tag.

    `region` is the id of the region's element, `data` what it shows; the template's region takes
    `live_tag`. htmx cuts the region out of the page by hx-select.
    """
    tag = hashlib.sha256(repr(data).encode()).hexdigest()[:20]
    polls = request.headers.get("HX-Source", "").endswith(f"#{region}")
    if polls and request.headers.get(_HEADER) == tag:
        return "", 304, {_HEADER: tag}
    response = make_response(render_template(template, live_tag=tag, **context))
    response.headers[_HEADER] = tag
    return response
