"""/internal/tick, for any minute trigger that can make an HTTP request."""

import re

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from tick.ticks.result import TickResult
from tick.ticks.tick import run_tick
from webapp.access.security import csrf
from webapp.dispatcher import dispatcher_of
from webapp.machines import trigger_auth
from webapp.services import runtime

blueprint = Blueprint("tick", __name__)
csrf.exempt(blueprint)  # no cookie opens it: `trigger_auth` wants a secret or an identity
_UNSAFE = re.compile(r"[^A-Za-z0-9._/+-]+")
_MAX_SOURCE = 60


@blueprint.route("/internal/tick", methods=["GET", "POST", "PUT"])
@blueprint.route("/internal/tick/", methods=["GET", "POST", "PUT"])
def fire() -> ResponseReturnValue:
    """Tick once, within the budget; 200 also when nothing was due or there is more to do."""
    if (refusal := trigger_auth.check()) is not None:
        return refusal
    return jsonify(tick_once().as_dict())


def tick_once() -> TickResult:
    """Tick within the budget, and send notifications in what is left of it."""
    budget = asked_seconds(runtime().settings.http_budget_seconds)
    # By the server's clock: a trigger's own may be wrong, and what it sends proves nothing.
    result = run_tick(runtime(), runtime().now(), source=_source(), budget_seconds=budget)
    sending = dispatcher_of(current_app).run_in_thread(result)
    # Wait for it: a serverless platform takes the processor away once the request is answered.
    sending.join(max(0.0, budget - result.took_seconds))
    return result


def asked_seconds(most: float) -> float:
    """Return the budget that `?max_ms=` asks for, at most the configured one."""
    asked = request.args.get("max_ms", "")
    if not re.fullmatch(r"[1-9][0-9]{0,6}", asked, re.ASCII):
        return most
    return min(int(asked) / 1000, most)


def _source() -> str:
    """Return a short label of the caller; never trusted, only shown."""
    agent = _UNSAFE.sub(" ", request.user_agent.string).strip()
    return f"http {agent[:_MAX_SOURCE].strip() or 'unknown'}"
