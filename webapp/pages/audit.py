"""Audit: who changed what, when and why; to read here, or to take along."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from flask import (
    Blueprint,
    Response,
    abort,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from tick.ops.queries import audit
from tick.ops.queries.audit import AuditEntry, AuditFilter
from webapp import links, query
from webapp.drawing.clock_changes import find_zone
from webapp.presentation import iso, shown_zone
from webapp.run_search import read_instant
from webapp.services import now, reading

blueprint = Blueprint("audit", __name__)
MOST_EXPORTED = 50_000
_AT_ONCE = 1000
_COLUMNS = list(AuditEntry.model_fields)
# What a spreadsheet would run as a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def _instant_of(value: str) -> datetime:
    return read_instant(value.strip(), now(), find_zone(shown_zone()))


def _with_mistakes(mistakes: tuple[str, ...]) -> str:
    """The page with what is wrong with its filter, and no entry."""
    return render_template("audit.html", mistakes=mistakes, most=MOST_EXPORTED)


_FILTER: dict[str, query.Reader] = {
    "subject": query.text_of,
    "actor": query.text_of,
    "action": query.text_of,
    "since": _instant_of,
    "until": _instant_of,
}


@blueprint.get("/audit")
@query.takes(_FILTER | {"before": query.number_of}, on_mistakes=_with_mistakes)
def index() -> ResponseReturnValue:
    """Changes, newest first, by the filter in the URL."""
    if "" in request.args.values():
        return redirect(url_for("audit.index", **links.query_args()))
    with reading() as connection:
        page = audit.list_audit(connection, _read_filter(), before=query.number("before"))
    return render_template("audit.html", page=page, most=MOST_EXPORTED)


@blueprint.get("/audit.<kind>")
@query.takes(_FILTER)
def export(kind: str) -> ResponseReturnValue:
    """The same as a file, the newest MOST_EXPORTED of them, sent as they are read."""
    if kind not in _TYPES:
        abort(404)
    entries = _newest(_read_filter(), MOST_EXPORTED)
    lines = _as_csv(entries) if kind == "csv" else _as_json(entries)
    name = f"audit-{now():%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines), headers=headers, content_type=_TYPES[kind])


def _read_filter() -> AuditFilter:
    """The filter in the URL."""
    return AuditFilter(
        subject=query.text("subject"),
        actor=query.text("actor"),
        action=query.text("action"),
        since=_instant("since"),
        until=_instant("until"),
    )


def _instant(name: str) -> datetime | None:
    text = query.text(name)
    return _instant_of(text) if text else None


def _newest(chosen: AuditFilter, most: int) -> Iterator[AuditEntry]:
    """The rows, read page by page: no transaction stays open while somebody reads slowly."""
    before, left = None, most
    while left:
        with reading() as connection:
            page = audit.list_audit(connection, chosen, before=before, size=min(_AT_ONCE, left))
        yield from page.items
        left -= len(page.items)
        before = None if page.next is None else int(page.next)
        if before is None:
            return


def _as_csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    yield _line(_COLUMNS)
    for entry in entries:
        yield _line([_cell(getattr(entry, name)) for name in _COLUMNS])


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else _plain(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _plain(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else json.dumps(value, ensure_ascii=False)


def _as_json(entries: Iterable[AuditEntry]) -> Iterator[str]:
    start = "["
    for entry in entries:
        yield f"{start}\n{json.dumps(entry.model_dump(), ensure_ascii=False, default=_plain)}"
        start = ","
    yield "[]\n" if start == "[" else "\n]\n"
