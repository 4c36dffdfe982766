"""Audit: who changed what, when and why."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from tick.ops.queries import audit
from webapp import query
from webapp.services import reading

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
def index() -> ResponseReturnValue:
    """Changes, newest first, by the filter in the URL."""
    subject, actor = query.text("subject"), query.text("actor")
    with reading() as connection:
        page = audit.list_audit(
            connection, subject=subject, actor=actor, before=query.number("before")
        )
    return render_template("audit.html", page=page, subject=subject, actor=actor)
