"""The definitions in code beside the schedules in the database: what a sync would change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from tick.define.calendar_days import with_days
from tick.define.environments import in_environment
from tick.define.mistakes import find_in_one
from tick.define.registry import Registry
from tick.define.schedules import Schedule, canonical, short_digest
from tick.define.timing_mistakes import where_is
from tick.define.written import differences_to_plain, from_plain
from tick.engine.ledger.versions import PIN
from tick.engine.schedules.known_calendars import named_in, with_known_calendars
from tick.engine.schedules.targets import build_target
from tick.errors import DefinitionsInvalid
from tick.policy.target import Target
from tick.states import ScheduleSource, ScheduleState
from tick.store.tables import job_schedule, schedule_version

_s, _v = job_schedule.c, schedule_version.c


@dataclass(frozen=True)
class Change:
    """The changes of one schedule: `schedule` is None when it was removed, `known` when it is new.

    Several may come at once: returned and changed, say.
    """

    id: str
    schedule: Schedule | None
    known: sa.Row[Any] | None
    renamed: bool = False
    returned: bool = False
    changed: bool = False
    reworded: bool = False
    source: ScheduleSource = ScheduleSource.CODE
    broken: str | None = None
    """Why a schedule that was made by hand can't fire with these definitions."""

    @property
    def taken_back(self) -> bool:
        """Whether a rename is undone: it gets a name again that it had."""
        return self.renamed and self.known is not None and self.id in (self.known.former_ids or ())

    @property
    def former_ids(self) -> list[str]:
        """Its earlier names, up to the one that it gets."""
        if self.known is None:
            return []
        ids = [*(self.known.former_ids or ()), self.known.id]
        return ids[: ids.index(self.id)] if self.id in ids else ids

    @property
    def added(self) -> bool:
        """Defined, and not in the database."""
        return self.known is None

    @property
    def removed(self) -> bool:
        """In the database, and no longer defined."""
        return self.schedule is None


def find_changes(connection: sa.Connection, registry: Registry) -> list[Change]:
    """All schedules for which something changes, those defined first.

    Raises DefinitionsInvalid where code and a person gave two schedules one id.
    """
    known = {row.id: row for row in connection.execute(_KNOWN)}
    made_by_hand = [row for row in known.values() if _is_custom(row)]
    _refuse_same_ids(made_by_hand, registry)
    defined = [_compare(schedule, registry, known) for schedule in registry.schedules.values()]
    renamed = {change.known.id for change in defined if change.known and change.renamed}
    gone = _gone(registry, known, renamed)
    followed = follow_by_hand(connection, registry, made_by_hand)
    return [change for change in (*defined, *followed) if _is_one(change)] + list(gone)


def find_followed(connection: sa.Connection, registry: Registry) -> list[Change]:
    """Those made by hand for which something changes: the days of their calendar, say."""
    made_by_hand = [row for row in connection.execute(_KNOWN) if _is_custom(row)]
    return [each for each in follow_by_hand(connection, registry, made_by_hand) if _is_one(each)]


def follow_by_hand(
    connection: sa.Connection, registry: Registry, made_by_hand: Sequence[sa.Row[Any]]
) -> list[Change]:
    """What these definitions, and the calendars by hand, mean for schedules made by hand."""
    names = [name for row in made_by_hand for name in named_in(row.definition["written"])]
    registry = with_known_calendars(connection, registry, names)
    return [_follow(row, registry) for row in made_by_hand]


def version_texts(schedule: Schedule, registry: Registry) -> dict[str, str]:
    """The JSON texts that decide a schedule's behaviour; its words do not."""
    target = build_target(registry, schedule.target())
    texts = {"rule": schedule.rule().to_json(), "target": target.to_json()}
    return texts | {name: canonical(labels) for name, labels in schedule.labelled().items()}


def version_digest(texts: Mapping[str, str]) -> str:
    """Changes when the schedule's behaviour does; of its `version_texts`."""
    return short_digest(canonical(texts))


def _is_custom(row: sa.Row[Any]) -> bool:
    return bool(row.source == ScheduleSource.CUSTOM and row.state != ScheduleState.REMOVED)


def _refuse_same_ids(made_by_hand: Sequence[sa.Row[Any]], registry: Registry) -> None:
    """Neither of the two can be left out: whoever enabled one would find the other."""
    twice = [
        f"{where_is(registry.schedules[row.id])}: the custom schedule {row.name!r}, made by "
        f"{row.made_by}, has this id as well; give this one another id, or delete that one in the "
        "console."
        for row in made_by_hand
        if row.id in registry.schedules
    ]
    if twice:
        raise DefinitionsInvalid(twice)


def _follow(row: sa.Row[Any], registry: Registry) -> Change:
    """The change that new code, or new days, mean for a schedule made by hand."""
    schedule = custom_schedule(row.id, row.definition["written"], registry, row.former_ids)
    if wrong := find_in_custom(schedule, registry):
        return Change(row.id, schedule, row, source=ScheduleSource.CUSTOM, broken=" ".join(wrong))
    schedule = here(schedule, registry)
    mended = row.state == ScheduleState.ERROR and row.state_by == BY_DEFINITIONS
    digest = version_digest(version_texts(schedule, registry))
    changed = mended or row.digest != digest or _pin_ends(row, registry)
    return Change(row.id, schedule, row, source=ScheduleSource.CUSTOM, changed=changed)


def custom_schedule(
    schedule_id: str,
    written: Mapping[str, Any],
    registry: Registry,
    former_ids: Sequence[str] | None = None,
) -> Schedule:
    """The schedule that a person wrote, with the alert rules that every schedule has."""
    schedule = from_plain(schedule_id, written, source="custom")
    first_id = former_ids[0] if former_ids else None
    return replace(schedule, first_id=first_id, alerts=registry.alerts)


def find_in_custom(schedule: Schedule, registry: Registry) -> list[str]:
    """The mistakes of a schedule that a person wrote, one that does not exist here among them."""
    wrong = find_in_one(schedule, list(registry.jobs.values()), registry.calendars)
    if not wrong and in_environment(schedule, registry.environment) is None:
        wrong = [
            f"environments: it does not exist in {registry.environment}, which this is; name that "
            "as well, or delete it here."
        ]
    return wrong


def here(schedule: Schedule, registry: Registry) -> Schedule:
    """The schedule, which exists here, as it is here."""
    found = in_environment(schedule, registry.environment) or schedule
    return with_days(found, registry.calendars)


def _compare(schedule: Schedule, registry: Registry, known: Mapping[str, sa.Row[Any]]) -> Change:
    row = known.get(schedule.id)
    old = None if row is not None else _renamed(schedule, registry, known)
    renamed = old is not None
    row = old if renamed else row
    if row is None:
        return Change(schedule.id, schedule, None)
    # Hashed slots and jitter go by the first name, so that a rename moves no instant.
    schedule = replace(schedule, first_id=[*(row.former_ids or ()), row.id][0])
    return Change(
        schedule.id,
        schedule,
        row,
        renamed=renamed,
        returned=row.state == ScheduleState.REMOVED,
        changed=row.digest != version_digest(version_texts(schedule, registry))
        or _pin_ends(row, registry),
        reworded=(row.name, row.description, row.alerts, row.environments)
        != (schedule.name, schedule.description, schedule.told(), differences_to_plain(schedule)),
    )


def _pin_ends(row: sa.Row[Any], registry: Registry) -> bool:
    """Whether its pin can't go on with these definitions, though they say the same of it."""
    # A version that pins has the digest of the one it stands before: any other change ends it.
    if row.pin is None:
        return False
    try:
        jobs = Target.from_json(row.target).jobs
    except (ValueError, TypeError, KeyError):  # another release wrote it
        return True
    return row.state == ScheduleState.REMOVED or any(job.name not in registry.jobs for job in jobs)


def _renamed(
    schedule: Schedule, registry: Registry, known: Mapping[str, sa.Row[Any]]
) -> sa.Row[Any] | None:
    """The row of a schedule under another name, if that name is defined no more."""
    old = known.get(schedule.renamed_from or "")
    if old is not None and old.id not in registry.schedules:
        return old
    # Or under a later one, of a release that is being taken back.
    later = (
        row
        for row in known.values()
        if row.id not in registry.schedules
        and row.state != ScheduleState.REMOVED
        and schedule.id in (row.former_ids or ())
    )
    return next(later, None)


def _gone(
    registry: Registry, known: Mapping[str, sa.Row[Any]], renamed: set[str]
) -> Iterator[Change]:
    for row in known.values():
        kept = row.id in registry.schedules or row.id in renamed
        if not kept and row.source == ScheduleSource.CODE and row.state != ScheduleState.REMOVED:
            yield Change(row.id, None, row)


def _is_one(change: Change) -> bool:
    if change.broken is not None:
        return change.known is not None and change.known.state_reason != change.broken
    return change.added or change.renamed or change.returned or change.changed or change.reworded


BY_DEFINITIONS = "definitions"
"""The author of the ERROR of a custom schedule whose job left the code: it ends with its return."""
_KNOWN = (
    sa.select(
        *(job_schedule, _v.digest, _v.rule, _v.target, _v.number, _v.by.label("made_by"), PIN),
        sa.case((_s.source == ScheduleSource.CUSTOM, _v.definition)).label("definition"),
    )
    .outerjoin(schedule_version, _v.id == _s.version_id)
    .order_by(_s.id)
)
