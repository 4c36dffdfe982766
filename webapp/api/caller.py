"""Authenticates API requests by token, and checks role and rate limit. A session opens nothing."""

import logging

from flask import Response, g, request

from tick.interface.operation import Author
from tick.interface.permissions import ROLES
from tick.interface.table import OPERATIONS
from tick.ops.access import tokens
from tick.ops.access.tokens import Token
from webapp import problem
from webapp.access import permissions
from webapp.access.bearer import ask_for_token, bearer_token
from webapp.access.environment import refuse_change
from webapp.access.rate_limits import enforce_rate_limit
from webapp.services import now, runtime

_log = logging.getLogger(__name__)
_UNUSABLE = (
    "The token is unknown, expired, revoked, or of another scope than `api`. `tick token list` "
    "shows those that there are, `tick token create` makes a new one."
)


def check() -> Response | None:
    """Let the request pass, or refuse it with 401, 403 or 429."""
    if request.endpoint in permissions.PUBLIC:
        return None
    if not (text := bearer_token()):
        return ask_for_token(problem.answer(401))
    token = tokens.authenticate(runtime().database, text, now=now())
    if token is None:
        _log.warning("request %s: a token was refused", g.request_id)
        return ask_for_token(problem.answer(401, _UNUSABLE), "invalid_token")
    g.token = token
    operation = OPERATIONS.get((request.endpoint or "").removeprefix("api."))
    if operation is None or operation.needs not in ROLES[token.role]:
        _log.warning("request %s: %s may not %s", g.request_id, token.author_name, request.endpoint)
        return problem.answer(403)
    if not operation.reads:
        enforce_rate_limit(token.author_name)
        refuse_change()
    return None


def token() -> Token:
    """Return the token of this request."""
    found: Token = g.token
    return found


def author() -> Author:
    """Return as whom the request acts."""
    return Author(token().author_name, g.request_id)
