"""The pages of calendars: the list, a year of one, and those by hand: made, edited, deleted."""

from dataclasses import replace

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.errors import InvalidInput, Refused, Stale
from tick.ops.actions import calendars as actions
from tick.ops.queries.calendars import (
    CalendarDetail,
    calendar_names,
    get_calendar,
    list_calendars,
)
from webapp import messages, query
from webapp.calendar_fields import COMBINES, WEEKDAYS, CalendarFields, meant, sent, shown
from webapp.drafts import told_by
from webapp.drawing.outcome_calendar import WEEKDAYS as SHORT_WEEKDAYS
from webapp.drawing.year import KINDS, year_counts, year_months
from webapp.forms import acting, this_act
from webapp.links import go_back
from webapp.services import now, read, reading, runtime

blueprint = Blueprint("calendars", __name__)
YEARS = range(1970, 2200)


def year_of(value: str) -> int:
    """Return a year. Raises ValueError."""
    if value.isascii() and value.isdigit() and len(value) == 4 and int(value) in YEARS:
        return int(value)
    raise ValueError("it is a year, such as 2027")


@blueprint.get("/calendars")
def index() -> ResponseReturnValue:
    """List the calendars, those in the definitions and by hand."""
    found = read(list_calendars, runtime().registry, now().year)
    return render_template("calendars/index.html", calendars=found.items)


@blueprint.get("/calendars/<name>")
@query.takes({"year": year_of})
def show(name: str) -> ResponseReturnValue:
    """Show a calendar: the days of a year, until when it is known, and who goes by it."""
    year = int(request.args.get("year") or now().year)
    calendar = _find(name, year)
    months = year_months(calendar)
    return render_template(
        "calendars/show.html",
        calendar=calendar,
        months=months,
        counts=year_counts(months),
        kinds=KINDS,
        weekdays=SHORT_WEEKDAYS,
        today=now().date(),
        earlier=year - 1 if year - 1 in YEARS else None,
        later=year + 1 if year + 1 in YEARS else None,
    )


@blueprint.get("/new-calendar")
def new() -> ResponseReturnValue:
    """Show an empty form."""
    return _form(CalendarFields())


@blueprint.post("/new-calendar")
def create() -> ResponseReturnValue:
    """Make the calendar, or say beside each field what is wrong."""
    fields = sent(request.form)
    options, mistakes = meant(fields, request.files.get("file"))
    name = fields.text("name")
    if not name:
        mistakes["name"] = "give it a name, such as de-plant"
    if mistakes:
        return _form(fields, mistakes)
    try:
        actions.make_calendar(runtime().database, this_act(), name, runtime().registry, options)
    except InvalidInput as error:
        return _form(fields, told_by(error))
    except Refused as refusal:
        return _form(fields, {"name": str(refusal)})
    undo = url_for("calendars.delete", name=name)
    messages.flash_success(f"Calendar {name} is made.", undo=undo)
    return redirect(url_for("calendars.show", name=name), 303)


@blueprint.get("/calendars/<name>/edit")
def edit(name: str) -> ResponseReturnValue:
    """Show the form with what was written of a calendar."""
    calendar = _by_hand(name)
    fields = shown(calendar.written or {})
    fields.texts["revision"] = calendar.revision or ""
    return _form(fields, edited=calendar)


@blueprint.post("/calendars/<name>/edit")
def update(name: str) -> ResponseReturnValue:
    """Save what changed, or say what is wrong, or that somebody else was faster."""
    calendar, fields = _by_hand(name), sent(request.form)
    options, mistakes = meant(fields, request.files.get("file"))
    if mistakes:
        return _form(fields, mistakes, edited=calendar)
    act = replace(this_act(), revision=fields.text("revision"))
    try:
        followed = actions.edit_calendar(runtime().database, act, name, runtime().registry, options)
    except InvalidInput as error:
        return _form(fields, told_by(error), edited=calendar)
    except Stale as stale:
        # What was typed stays, and is saved over the other's when that is what the person wants.
        fields.texts["revision"] = calendar.revision or ""
        said = f"{stale} Yours stands below; to save it in place of theirs, save again."
        return _form(fields, edited=calendar, refused=said, status=409)
    except Refused as refusal:
        return _form(fields, edited=calendar, refused=str(refusal), status=409)
    follow = f"; these follow: {', '.join(followed)}" if followed else ""
    messages.flash_success(f"Calendar {name} is saved{follow}.")
    return redirect(url_for("calendars.show", name=name), 303)


@blueprint.get("/calendars/<name>/delete")
def confirm_delete(name: str) -> ResponseReturnValue:
    """Say what deleting takes away."""
    return render_template("calendars/delete.html", calendar=_by_hand(name))


@blueprint.post("/calendars/<name>/delete")
def delete(name: str) -> ResponseReturnValue:
    """Delete it, unless something goes by it."""
    with acting() as act:
        actions.delete_calendar(runtime().database, act, name, runtime().registry)
        undo = url_for("calendars.restore", name=name)
        messages.flash_success(f"Calendar {name} is deleted.", undo=undo)
    return go_back(url_for("calendars.index"))


@blueprint.post("/calendars/<name>/restore")
def restore(name: str) -> ResponseReturnValue:
    """Bring a deleted one back."""
    try:
        with acting() as act:
            actions.restore_calendar(runtime().database, act, name, runtime().registry)
            messages.flash_success(f"Calendar {name} is back.")
    except InvalidInput as error:
        why = " ".join(told_by(error).values())
        messages.flash_error(f"{name} can't come back as it was: {why}")
    return go_back(url_for("calendars.show", name=name))


def _find(name: str, year: int | None = None) -> CalendarDetail:
    return read(get_calendar, runtime().registry, name, year or now().year)


def _by_hand(name: str) -> CalendarDetail:
    """Return a calendar that was made by hand. Raises NotFound, Refused for one in code."""
    calendar = _find(name)
    if calendar.written is None:
        raise Refused(
            f"Calendar {name} lives in code: edit `Calendar({name!r}, …)` in the definitions."
        )
    return calendar


def _form(
    fields: CalendarFields,
    mistakes: dict[str, str] | None = None,
    *,
    edited: CalendarDetail | None = None,
    refused: str = "",
    status: int | None = None,
) -> ResponseReturnValue:
    """Show the form; with status 422 if it comes back with mistakes."""
    with reading() as connection:
        names = calendar_names(connection, runtime().registry)
    page = render_template(
        "calendars/form.html",
        f=fields,
        # What no field is about stands at the top.
        mistakes={**(mistakes or {})},
        edited=edited,
        refused=refused or (mistakes or {}).get("body", ""),
        names=[name for name in names if edited is None or name != edited.name],
        weekdays=WEEKDAYS,
        combines=COMBINES,
    )
    return make_response(page, status or (422 if mistakes else 200))
