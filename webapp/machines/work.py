"""/internal/work: a tick, then work in child processes for as long as the budget lasts."""

import threading
import time

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from tick.worker.timed import work_for
from webapp.access.security import csrf
from webapp.dispatcher import dispatcher_of
from webapp.machines import trigger_auth
from webapp.machines.tick import asked_seconds, tick_once
from webapp.services import runtime

blueprint = Blueprint("work", __name__)
csrf.exempt(blueprint)  # authorized as /internal/tick
# One request at a time works: each would start as many child processes as the settings allow.
_at_work = threading.Lock()


@blueprint.route("/internal/work", methods=["GET", "POST", "PUT"])
@blueprint.route("/internal/work/", methods=["GET", "POST", "PUT"])
def work() -> ResponseReturnValue:
    """Tick once, then claim and run what fits; 200 whatever became of the runs."""
    if (refusal := trigger_auth.check()) is not None:
        return refusal
    until = time.monotonic() + asked_seconds(runtime().settings.http_work_seconds)
    ticked = tick_once()
    if not _at_work.acquire(blocking=False):
        return jsonify(ticked.as_dict() | {"worked": None})  # an earlier request is at work
    try:
        worked = work_for(runtime(), max(0.0, until - time.monotonic()))
    finally:
        _at_work.release()
    dispatcher_of(current_app).run_in_thread()
    return jsonify(ticked.as_dict() | {"worked": worked.as_dict()})
