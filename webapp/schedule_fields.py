"""The fields of the form of a schedule, and the options of `Schedule` that they mean.

Texts are kept as somebody typed them, so that a form comes back as it was sent.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from tick.cron.zone_data import find_zone
from tick.cron.zones import check_zone
from tick.define.steps import step_from_plain, step_from_words
from tick.define.written import is_day
from tick.define.wrong_values import why_unstorable
from tick.errors import InvalidCron
from tick.ops.actions.shared_params import SharedField
from tick.states import Mode, OverlapPolicy, ScheduleKind
from tick.utc import in_utc, is_skipped

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
LENGTHS = ("every", "grace", "max_catch_up_age", "jitter", "deadline", "timeout")
INSTANTS = ("at", "anchor", "starts_at", "ends_at")
_LIMITS = ("retries", "priority", "pause_after", "max_concurrent")
NUMBERS = ("max_runs", "max_catch_up_runs", *_LIMITS)
CHOICES = {
    "missed": "SKIP",
    "overlap": "SKIP",
    "day_rule": "ONLY_BUSINESS_DAYS",
    "dst_gap": "first_valid",
    "dst_fold": "first",
}
"""Options that are one of a few words, with the default of each: what is not worth storing."""
_TEXTS = ("name", "description", "cron", "timezone", "calendar", "job", "job_group")
_OF_KIND = {
    ScheduleKind.CRON: ("cron", "timezone", "calendar", "dst_gap", "dst_fold"),
    ScheduleKind.INTERVAL: ("every", "anchor"),
    ScheduleKind.ONCE: ("at",),
}
_REPEATING = ("starts_at", "ends_at", "max_runs", "jitter", "pause_after")
_OF_TARGET = {
    Mode.SINGLE_JOB: ("job", "with_dependencies"),
    Mode.GROUP: ("job_group", "with_dependencies"),
    Mode.CUSTOM: ("jobs", "with_dependencies"),
    Mode.ALL_JOBS: (),
}
_OF_MISSED = {
    "SKIP": (),
    "CATCH_UP": ("max_catch_up_age",),
    "CATCH_UP_ALL": ("max_catch_up_age", "max_catch_up_runs"),
}
_ALWAYS = (
    *("name", "description", "labels", "environments", "missed", "overlap", "grace"),
    *("deadline", "timeout", "retries", "priority"),
)
_OPTIONS = frozenset(
    {
        "cron",
        "timezone",
        "calendar",
        "job",
        "job_group",
        "jobs",
        "with_dependencies",
        "params",
        "mode",
        "labels",
    }
    | {"name", "description", "environments", *CHOICES, *LENGTHS, *INSTANTS, *NUMBERS}
)
PARAM = "param-"


@dataclass
class Fields:
    """The content of the form: texts by the name of the field, and the jobs that are ticked."""

    texts: dict[str, str]
    jobs: tuple[str, ...] = ()
    params: dict[str, str] = field(default_factory=dict)
    """The parameters' fields; what has none stands in `params_more`, as JSON."""

    def text(self, name: str) -> str:
        """Return what stands in a field."""
        return self.texts.get(name, "")

    @property
    def kind(self) -> ScheduleKind:
        """Return in which of the three ways it says when."""
        return _one_of(ScheduleKind, self.text("kind")) or ScheduleKind.CRON

    @property
    def target(self) -> Mode:
        """Return in which of the four ways it says what to run."""
        return _one_of(Mode, self.text("target")) or Mode.ALL_JOBS


@dataclass
class Meant:
    """The options that a form means (None: not given), and its mistakes by option."""

    options: dict[str, Any]
    mistakes: dict[str, str]


def sent(form: MultiDict[str, str]) -> Fields:
    """Return the fields of a form that was sent."""
    texts = {
        name: text.strip().replace("\r\n", "\n")
        for name, text in form.items()
        if not name.startswith(PARAM)
    }
    params = {
        name.removeprefix(PARAM): text for name, text in form.items() if name.startswith(PARAM)
    }
    return Fields(texts, tuple(form.getlist("jobs")), params)


def shown(options: Mapping[str, Any], parameters: Iterable[SharedField] = ()) -> Fields:
    """Return the fields of a form for a written schedule whose jobs take `parameters`."""
    texts = {name: str(options[name]) for name in (*_TEXTS, *NUMBERS) if name in options}
    texts |= {name: str(options.get(name, default)) for name, default in CHOICES.items()}
    texts["kind"] = next(
        (kind for kind in ScheduleKind if _OF_KIND[kind][0] in options), ScheduleKind.CRON
    )
    texts["target"] = next(
        (mode for mode, named in _OF_TARGET.items() if named and named[0] in options), Mode.ALL_JOBS
    )
    texts |= {"timezone": str(options.get("timezone", "UTC"))}
    texts["labels"] = ", ".join(options.get("labels", ()))
    every = options.get("every")
    texts |= {"every_step": step_from_plain(every).in_words()} if isinstance(every, dict) else {}
    texts |= {"with_dependencies": "on"} if options.get("with_dependencies") else {}
    for name in LENGTHS:
        texts[f"{name}_count"], texts[f"{name}_unit"] = _length_texts(
            None if isinstance(options.get(name), dict) else options.get(name)
        )
    zone = _zone(texts["timezone"])
    texts |= {name: _wall(options[name], zone) for name in INSTANTS if name in options}
    params, others = _param_texts(options.get("params", {}), parameters)
    texts |= {"params_more": others} if others else {}
    rest = {name: value for name, value in options.items() if name not in _OPTIONS}
    named = options.get("environments") or ()
    # What differs between them has no fields here, and stays as it is.
    rest |= {"environments": named} if isinstance(named, dict) else {}
    texts["environments"] = "" if isinstance(named, dict) else ", ".join(named)
    texts |= {"rest": json.dumps(rest)} if rest else {}
    return Fields(texts, tuple(options.get("jobs", ())), params)


def meant(fields: Fields) -> Meant:
    """Return the options that the fields mean, but for the parameters, which hang on the jobs."""
    taken = {*_ALWAYS, *_OF_KIND[fields.kind], *_OF_TARGET[fields.target]}
    taken |= set() if fields.kind is ScheduleKind.ONCE else set(_REPEATING)
    taken |= {"timezone", "calendar", "dst_gap", "dst_fold"} if _has_step(fields) else set()
    taken |= {"day_rule"} if "calendar" in taken and fields.text("calendar") else set()
    taken |= set(_OF_MISSED.get(fields.text("missed"), ()))
    # Any number may run at one time where all are allowed.
    taken |= {"max_concurrent"} if fields.text("overlap") != OverlapPolicy.ALLOW else set()
    found = Meant(dict.fromkeys(_OPTIONS - {"params"}), {})
    for name in sorted(taken):
        try:
            found.options[name] = _value(fields, name)
        except ValueError as error:
            found.mistakes[name] = str(error)
    for name, why in _LACKING.items():
        if name in taken and not found.options[name]:
            found.mistakes.setdefault(name, why)
    try:
        check_zone(fields.text("timezone") or "UTC")
    except InvalidCron as error:
        found.mistakes["timezone"] = str(error)
    return Meant(found.options | _rest(fields), found.mistakes)


def merge(mine: Fields, base: Fields, theirs: Fields) -> Fields:
    """Return what I typed over what another person saved meanwhile; both began with `base`."""
    names = {*mine.texts, *theirs.texts} | {"jobs"}
    kept = {name for name in names if mine.text(name) != base.text(name)}
    texts = {name: (mine if name in kept else theirs).text(name) for name in names}
    jobs = mine.jobs if mine.jobs != base.jobs else theirs.jobs
    params = {
        name: mine.params.get(name, "")
        if mine.params.get(name, "") != base.params.get(name, "")
        else theirs.params.get(name, "")
        for name in {*mine.params, *theirs.params}
    }
    return Fields(texts, jobs, params)


def _rest(fields: Fields) -> dict[str, Any]:
    """Return the options without a field of their own, which stay as they are."""
    try:
        found = json.loads(fields.text("rest") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) and not why_unstorable(found) else {}


def _value(fields: Fields, name: str) -> Any:
    """Return the value of an option, None for its default. Raises ValueError with what to write."""
    text = fields.text(name)
    if _has_step(fields) and name in ("every", "anchor"):
        return _step(fields.text("every_step")) if name == "every" else _day(text)
    if name in LENGTHS:
        return _length(fields.text(f"{name}_count"), fields.text(f"{name}_unit"))
    if name in INSTANTS:
        return _instant(text, _zone(fields.text("timezone") or "UTC"))
    if name in NUMBERS:
        return _number(text)
    if name in CHOICES:
        return None if text == CHOICES[name] else text or None
    if name == "jobs":
        return list(fields.jobs)
    if name in ("labels", "environments"):
        return text.replace(",", " ").split() or None
    if name == "with_dependencies":
        return True if text else None
    return None if name == "timezone" and text == "UTC" else text or _EMPTY.get(name)


# Empty where one must stand: without it, the schedule would say something else.
_EMPTY = {"cron": "", "job": "", "job_group": ""}
_LACKING = {
    "every": "say how long, such as 6 hours",
    "at": "say when, such as 2027-03-29 02:00",
    "job": "choose a job",
    "job_group": "choose a group",
    "jobs": "tick at least one job",
}


def _has_step(fields: Fields) -> bool:
    return fields.kind is ScheduleKind.INTERVAL and bool(fields.text("every_step"))


def _step(text: str) -> dict[str, Any]:
    if (step := step_from_words(text)) is None:
        said = "2 days at 09:00, 2 weeks on mon at 09:00, or month on business day 3 at 02:00"
        raise ValueError(f"{text[:40]} is no step of the calendar; write one such as {said}")
    return step.to_plain()


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text[:10]).isoformat() if text else None
    except ValueError:
        raise ValueError(f"{text[:40]} is no day; write one such as 2027-01-31") from None


def _length(count: str, unit: str) -> float | None:
    if not count:
        return None
    try:
        seconds = float(count) * UNITS.get(unit, 1)
    except ValueError:
        raise ValueError(f"{count} is no number; write one, such as 15") from None
    if not 0 <= seconds < 1e11:
        raise ValueError(f"{count} {unit} is no length to wait for; write less")
    return seconds


def _length_texts(seconds: float | None) -> tuple[str, str]:
    """Return a length as a count and the largest unit of which it is a whole number."""
    if seconds is None:
        return "", "minutes"
    whole = [unit for unit, size in UNITS.items() if not seconds % size]
    unit = whole[-1] if whole and seconds else "seconds"
    return f"{seconds / UNITS[unit]:g}", unit


def _number(text: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        raise ValueError(f"{text[:20]} is no whole number; write one, such as 3") from None


def _instant(text: str, zone: ZoneInfo) -> str | None:
    if not text:
        return None
    try:
        wall = datetime.fromisoformat(text)
        instant = wall if wall.tzinfo else wall.replace(tzinfo=zone)
        if not is_skipped(instant):
            return in_utc(instant).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]} is no time; write one such as 2027-03-29 02:00") from None
    raise ValueError(f"the clocks of {zone.key} skip {wall:%H:%M} on that day; write another time")


def _wall(stored: str, zone: ZoneInfo) -> str:
    if is_day(stored):
        return f"{stored}T00:00"
    local = datetime.fromisoformat(stored).astimezone(zone).replace(tzinfo=None)
    return local.isoformat(timespec="minutes" if not local.second else "seconds")


def _zone(name: str) -> ZoneInfo:
    """Return the zone in which times of the form are meant; UTC for one that is a mistake."""
    try:
        check_zone(name)
    except InvalidCron:
        return find_zone("UTC")
    return find_zone(name)


def _param_texts(
    params: Mapping[str, Any], parameters: Iterable[SharedField]
) -> tuple[dict[str, str], str]:
    """Return what stands in the parameters' fields, and the rest as JSON."""
    kinds = {each.field.name: each.field.kind for each in parameters}
    texts = {
        name: value
        if isinstance(value, str) and kinds[name] != "json"
        else json.dumps(value, ensure_ascii=False)
        for name, value in params.items()
        if name in kinds
    }
    others = {name: value for name, value in params.items() if name not in kinds}
    return texts, json.dumps(others, ensure_ascii=False) if others else ""


def _one_of(enum: Any, text: str) -> Any:
    return enum(text) if text in list(enum) else None
