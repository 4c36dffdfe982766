"""The page of the audit: who changed what, when and why; and its export as a file."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

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
from webapp.services import now, read

blueprint = Blueprint("audit", __name__)
MOST_EXPORTED = 50_000
_AT_ONCE = 1000
_COLUMNS = list(AuditEntry.model_fields)
# A spreadsheet runs a cell that begins so as a formula, and reasons are whatever people write.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def _instant_of(value: str) -> datetime:
    return read_instant(value.strip(), now(), find_zone(shown_zone()))


def _with_mistakes(mistakes: tuple[str, ...]) -> str:
    """Render the page with the mistakes of its filter, and no entry."""
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
    """List changes, newest first, by the filter in the URL."""
    # A form sends its empty fields too; an address to share holds only what was asked.
    if "" in request.args.values():
        return redirect(url_for("audit.index", **links.query_args()))
    page = read(audit.list_audit, _read_filter(), before=query.number("before"))
    return render_template("audit.html", page=page, most=MOST_EXPORTED)


@blueprint.get("/audit.<kind>")
@query.takes(_FILTER)
def export(kind: str) -> ResponseReturnValue:
    """Send the newest MOST_EXPORTED of the changes as a file, while they are read."""
    if kind not in _TYPES:
        abort(404)
    entries = _newest(_read_filter(), MOST_EXPORTED)
    lines = _as_csv(entries) if kind == "csv" else _as_json(entries)
    name = f"audit-{now():%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines), headers=headers, content_type=_TYPES[kind])


def _read_filter() -> AuditFilter:
    given = {name: query.text(name) for name in _FILTER}
    found: dict[str, Any] = {name: _FILTER[name](text) for name, text in given.items() if text}
    return AuditFilter(**found)


def _newest(chosen: AuditFilter, most: int) -> Iterator[AuditEntry]:
    before, left = None, most
    while left:
        # A connection for each page: no transaction stays open while somebody reads slowly.
        page = read(audit.list_audit, chosen, before=before, size=min(_AT_ONCE, left))
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
