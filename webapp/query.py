"""Reads the query string of a page strictly: a filter with a mistake shows nothing.

A page declares by `takes` what its URL may hold, with a reader for each value. What is unknown,
given twice or not understood is answered before the page is asked for anything: by the page itself
where it has a form to mend it in (`on_mistakes`), else by an error page.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from flask import Flask, current_app, make_response, request
from flask.typing import ResponseReturnValue

from tick.errors import InvalidFilter, NotFound
from tick.ops.queries import schedules
from tick.ops.queries.nearest import choose_from, did_you_mean
from webapp.access.permissions import NEEDED
from webapp.services import reading

Choice = TypeVar("Choice", bound=StrEnum)
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
Reader = Callable[[str], object]
MistakePage = Callable[[tuple[str, ...]], str]
_MAX_ID = 2**63 - 1
_MAX_TEXT = 100
_TAKEN, _ON_MISTAKES, _LISTS = "query_taken", "query_teller", "query_lists"


def number_of(value: str) -> int:
    """Return an id, or 0 for the place before the first. Raises ValueError."""
    if value.isascii() and value.isdigit() and len(value) <= 19 and int(value) <= _MAX_ID:
        return int(value)
    raise ValueError("it is a number, as the links of this page have it")


def text_of(value: str) -> str:
    """Return a name, or words to look for. Raises ValueError."""
    if len(value.strip()) > _MAX_TEXT:
        raise ValueError(f"it has at most {_MAX_TEXT} characters")
    return value.strip()


def day_of(value: str) -> date:
    """Return a day of a calendar. Raises ValueError."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("it is a day, such as 2026-11-23") from None


def schedule_of(value: str) -> str:
    """Return the id of a schedule that exists. Raises ValueError."""
    # A filter by one that does not would show no alert, as if nothing were wrong.
    with reading() as connection:
        names = schedules.schedule_names(connection)
        try:
            if value not in names:
                schedules.find_schedule(connection, value)
        except NotFound:
            guess = did_you_mean(value, names)
            raise ValueError(f"{guess}there is no such schedule; the list has their ids") from None
    return value


def one_of(choices: Collection[str]) -> Reader:
    """Return a reader that takes one of the words."""

    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(choose_from(value, choices))
        return value

    return read


def takes(
    readers: Mapping[str, Reader],
    *,
    on_mistakes: MistakePage | None = None,
    lists: Collection[str] = (),
) -> Callable[[View], View]:
    """Declare what the URL of a page may hold, `lists` of it more than once."""

    def declare(view: View) -> View:
        vars(view).update({_TAKEN: readers, _ON_MISTAKES: on_mistakes, _LISTS: frozenset(lists)})
        return view

    return declare


def declared_readers(view: Callable[..., object]) -> Mapping[str, Reader]:
    """Return the readers of what the URL of a page may hold, by name."""
    found: Mapping[str, Reader] = vars(view).get(_TAKEN, {})
    return found


def init_app(app: Flask) -> None:
    """Check the URL of each page before the page is made."""
    app.before_request(_check)


def _check() -> ResponseReturnValue | None:
    if request.method not in ("GET", "HEAD") or request.endpoint not in NEEDED:
        return None
    view = current_app.view_functions[request.endpoint]
    mistakes = tuple(_mistakes(declared_readers(view), vars(view).get(_LISTS, frozenset())))
    if not mistakes:
        return None
    if (on_mistakes := vars(view).get(_ON_MISTAKES)) is None:
        raise InvalidFilter(mistakes)
    return make_response(on_mistakes(mistakes), 422)


def _mistakes(readers: Mapping[str, Reader], lists: Collection[str]) -> list[str]:
    found = []
    for name, values in request.args.lists():
        if name == "next":  # where a dialog leads back to; read by links.is_local
            continue
        if name not in readers:
            known = choose_from(name, readers) if readers else "this page takes nothing"
            found.append(f"There is no {name[:_MAX_TEXT]} to filter by; {known}.")
        elif len(values) > 1 and name not in lists:
            found.append(f"{name} is given {len(values)} times; say it once.")
        else:
            found += [said for value in values for said in _mistakes_in(name, readers[name], value)]
    return found


def _mistakes_in(name: str, read: Reader, value: str) -> tuple[str, ...]:
    try:
        if value.strip():
            read(value)
    except InvalidFilter as error:  # whole sentences, of a line that holds several wishes
        return error.mistakes
    except ValueError as error:
        return (f"{name}={value[:_MAX_TEXT]} is not understood; {error}.",)
    return ()


def number(name: str) -> int | None:
    """Return an id of the query string, if it is given."""
    value = request.args.get(name, "")
    return number_of(value) if value else None


def text(name: str) -> str | None:
    """Return a text of the query string, if it is given."""
    return request.args.get(name, "").strip() or None


def choice(name: str, among: type[Choice]) -> Choice | None:
    """Return a member of `among` that the query string names, if it does."""
    value = request.args.get(name, "")
    return among(value) if value else None
