"""Schedules by hand: the form that makes and edits them, deleting, restoring, and their code."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.define.as_code import as_code as code_of
from tick.define.as_code import imports_of
from tick.define.written import to_plain
from tick.errors import InvalidInput, NotFound, Refused, Stale
from tick.ops.actions import custom_schedules
from tick.ops.queries import schedules
from tick.ops.queries.calendars import calendar_names
from tick.ops.queries.schedules import Schedule
from tick.ops.queries.written import Written, get_written, read_written
from webapp import drafts, messages, query, schedule_templates
from webapp.drawing import graphs
from webapp.drawing.clock_changes import find_zone
from webapp.forms import acting, this_act
from webapp.links import go_back
from webapp.schedule_fields import UNITS, Fields, merge, sent
from webapp.services import reading, runtime

blueprint = Blueprint("schedule_form", __name__)
MOST_DRAWN = 60
_BLANK = {"cron": "0 2 * * *"}


@dataclass(frozen=True)
class Edited:
    """The schedule that is edited, and which version of it the form began with."""

    schedule: Schedule
    written: Written


@dataclass(frozen=True)
class Conflict:
    """An option that somebody else changed meanwhile; `mine` if the form has another value."""

    option: str
    before: Any
    after: Any
    mine: Any


@blueprint.get("/new-schedule")
@query.takes({"template": query.one_of(schedule_templates.BY_KEY), "copy": query.text_of})
def new() -> ResponseReturnValue:
    """Show an empty form, or one that begins with a template or a copy of a schedule."""
    options: Mapping[str, Any] = _BLANK
    if key := query.text("template"):
        options = schedule_templates.BY_KEY[key].options
    elif source := query.text("copy"):
        options = _copied(source)
    return _form(drafts.draft_of(drafts.fields_of(options)))


@blueprint.post("/new-schedule")
def create() -> ResponseReturnValue:
    """Make the schedule, or say beside each field what is wrong."""
    fields = sent(request.form)
    draft = drafts.to_save(drafts.draft_of(fields))
    if draft.mistakes:
        return _form(draft)
    try:
        made = custom_schedules.create_schedule(
            runtime().database,
            this_act(),
            runtime().registry,
            draft.written,
            schedule_id=fields.text("id") or None,
            enabled=bool(fields.text("enabled")),
        )
    except InvalidInput as error:
        return _form(draft.with_mistakes(drafts.told_by(error)))
    except Refused as refusal:
        return _form(draft.with_mistakes({"id": str(refusal)}))
    on = "on" if fields.text("enabled") else "off: switch it on when you like"
    messages.flash_success(
        f"{draft.written['name']} is made, and {on}.",
        undo=url_for("schedule_form.delete", schedule_id=made),
    )
    return redirect(url_for("schedules.show", schedule_id=made), 303)


@blueprint.post("/new-schedule/preview")
def preview() -> ResponseReturnValue:
    """Show the form as it was sent, with what it would do; save nothing."""
    fields, editing = sent(request.form), request.form.get("editing")
    if preset := request.form.get("preset"):
        fields.texts["cron"] = preset
    edited = _edited(editing) if editing else None
    return _form(_draft(fields, edited), edited, status=200)


@blueprint.get("/schedules/<schedule_id>/edit")
def edit(schedule_id: str) -> ResponseReturnValue:
    """Show the form with what was written of a schedule."""
    edited = _edited(schedule_id)
    fields = drafts.fields_of(edited.written.options)
    return _form(_draft(_as_read(fields, edited), edited), edited)


@blueprint.post("/schedules/<schedule_id>/edit")
def update(schedule_id: str) -> ResponseReturnValue:
    """Save what changed, or say what is wrong, or what somebody else changed meanwhile."""
    edited, fields = _edited(schedule_id), sent(request.form)
    draft = drafts.to_save(_draft(fields, edited))
    if draft.mistakes:
        return _form(draft, edited)
    act = replace(this_act(), revision=fields.text("revision"))
    try:
        changed = custom_schedules.edit_schedule(
            runtime().database, act, schedule_id, runtime().registry, draft.options
        )
    except InvalidInput as error:
        return _form(draft.with_mistakes(drafts.told_by(error)), edited)
    except Stale as stale:
        return _outdated(fields, edited, str(stale))
    except Refused as refusal:
        return _form(draft, edited, refused=str(refusal), status=409)
    said = "is saved" if changed else "is as it was: nothing was changed"
    messages.flash_success(f"{draft.written['name']} {said}.")
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)


@blueprint.get("/schedules/<schedule_id>/code")
def as_code(schedule_id: str) -> ResponseReturnValue:
    """Show the schedule as the text to paste into the definitions."""
    edited = _edited(schedule_id)
    code = code_of(schedule_id, edited.written.options)
    return render_template(
        "schedules/code.html", schedule=edited.schedule, code=code, imports=imports_of(code)
    )


@blueprint.get("/schedules/<schedule_id>/delete")
def confirm_delete(schedule_id: str) -> ResponseReturnValue:
    """Say what deleting takes away, and what it leaves."""
    return render_template("schedules/delete.html", schedule=_edited(schedule_id).schedule)


@blueprint.post("/schedules/<schedule_id>/delete")
def delete(schedule_id: str) -> ResponseReturnValue:
    """Delete it; what it fired stays."""
    with acting() as act:
        custom_schedules.delete_schedule(runtime().database, act, schedule_id, runtime().registry)
        messages.flash_success(
            f"{schedule_id} is deleted; its history is kept.",
            undo=url_for("schedule_form.restore", schedule_id=schedule_id),
        )
    return go_back(url_for("schedules.index"))


@blueprint.post("/schedules/<schedule_id>/restore")
def restore(schedule_id: str) -> ResponseReturnValue:
    """Bring a deleted one back, switched off."""
    try:
        with acting() as act:
            changed = custom_schedules.restore_schedule(
                runtime().database, act, schedule_id, runtime().registry
            )
            how = "with its jobs as they are now" if changed else "as it was"
            messages.flash_success(f"{schedule_id} is back {how}, switched off.")
    except InvalidInput as error:
        why = " ".join(drafts.told_by(error).values())
        messages.flash_error(f"{schedule_id} can't come back as it was: {why}")
    return go_back(url_for("schedules.show", schedule_id=schedule_id))


def _form(
    draft: drafts.Draft,
    edited: Edited | None = None,
    *,
    conflicts: tuple[Conflict, ...] = (),
    refused: str = "",
    status: int | None = None,
) -> ResponseReturnValue:
    """Show the form; with status 422 if it comes back with mistakes."""
    came_back = request.method == "POST"
    with reading() as connection:
        copies = {} if edited or came_back else schedules.schedule_names(connection)
        calendars = calendar_names(connection, runtime().registry)
    jobs = runtime().registry.jobs
    drawn = [jobs[name] for name in draft.preview.jobs[:MOST_DRAWN]]
    page = render_template(
        # Who types gets the parts that change alone.
        "schedules/_form.html" if "HX-Request" in request.headers else "schedules/form.html",
        draft=draft,
        f=draft.fields,
        edited=edited,
        conflicts=conflicts,
        refused=refused,
        saving=came_back and status != 200,
        copies=copies,
        groups=runtime().registry.groups,
        calendars=calendars,
        nodes=graphs.of_jobs(
            drawn, draft.latest, link=lambda name: url_for("jobs.show", name=name)
        ),
        zone=find_zone(draft.fields.text("timezone") or "UTC").key,
        start=schedule_templates,
        units=UNITS,
        labels=drafts.LABELS,
    )
    return make_response(page, status or (422 if came_back else 200))


def _draft(fields: Fields, edited: Edited | None) -> drafts.Draft:
    if edited is None:
        return drafts.draft_of(fields)
    schedule = edited.schedule
    return drafts.draft_of(fields, schedule_id=schedule.id, fired=schedule.run_count)


def _edited(schedule_id: str) -> Edited:
    """Return the schedule as written. Raises NotFound, Refused for one that lives in code."""
    with reading() as connection:
        return Edited(
            schedules.find_schedule(connection, schedule_id), get_written(connection, schedule_id)
        )


def _as_read(fields: Fields, edited: Edited) -> Fields:
    """Return the fields with what tells later whether somebody else has changed the schedule."""
    read = {"revision": edited.schedule.revision, "version": str(edited.written.number)}
    return replace(fields, texts=fields.texts | read)


def _outdated(mine: Fields, edited: Edited, stale: str) -> ResponseReturnValue:
    """Show the form again as it was typed, with what another person saved meanwhile."""
    number = mine.text("version")
    with reading() as connection:
        base = read_written(connection, edited.schedule.id, int(number) if number.isdigit() else 0)
    theirs = edited.written
    before = base.options if base else theirs.options
    merged = merge(mine, drafts.fields_of(before), drafts.fields_of(theirs.options))
    wanted = drafts.draft_of(mine, schedule_id=edited.schedule.id).written
    conflicts = tuple(
        Conflict(name, before.get(name), theirs.options.get(name), wanted.get(name))
        for name in {**before, **theirs.options}
        if before.get(name) != theirs.options.get(name)
    )
    draft = _draft(_as_read(merged, edited), edited)
    said = "" if conflicts else stale
    return _form(draft, edited, conflicts=conflicts, refused=said, status=409)


def _copied(schedule_id: str) -> Mapping[str, Any]:
    """Return what a copy of a schedule begins with. Raises NotFound."""
    with reading() as connection:
        schedule = schedules.find_schedule(connection, schedule_id)
        written = read_written(connection, schedule_id)
    options = dict(written.options) if written else _in_code(schedule_id)
    return options | {"name": f"{schedule.name} (copy)"}


def _in_code(schedule_id: str) -> dict[str, Any]:
    found = runtime().registry.schedules.get(schedule_id)
    if found is None:
        raise NotFound(
            f"{schedule_id} is not in the definitions of this process, so it can't be copied."
        )
    return to_plain(found)
