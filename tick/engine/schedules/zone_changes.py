"""Other zone data come into force: every schedule of the zone goes on by them from its cursor.

Its next instant is worked out anew, in bounded steps that may be taken in several ticks, and a
version says from when on the new data decide. Versions that an older release wrote, or wrote before
there was such a thing, are looked at in the same way, once.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.cron.zone_age import Age, StoredZone, judge
from tick.cron.zone_data import Zone, current
from tick.engine.ledger.audit import Act, Author
from tick.engine.ledger.zones import (
    NO_ZONE,
    ZoneDataStatus,
    all_known,
    put_in_force,
    read_rule,
    read_zone_data_status,
)
from tick.engine.schedules.lifecycle import WITH_RULE
from tick.errors import Stale
from tick.policy import instants
from tick.policy.rule import RULE_FORMAT, Rule
from tick.policy.zone_moves import go_on_after, zone_of
from tick.store.sql import AnyRow
from tick.store.tables import job_schedule, schedule_version, zone_data

_s, _v, _z = job_schedule.c, schedule_version.c, zone_data.c
SUBJECT = "time zones"


@dataclass(frozen=True)
class ZoneDataRequest:
    """Zone data that somebody brings; older ones than those in force only if that is accepted."""

    author: Author
    by_person: bool = False
    accept_older: bool = False

    def accepts(self, age: Age) -> bool:
        """Whether data of that age come into force."""
        if age is Age.NEWER or (age is Age.TAKEN_BACK and self.by_person):
            return True
        return self.accept_older and age is not Age.SAME


def older_zones(connection: sa.Connection) -> list[StoredZone]:
    """The zones in use whose data in force are newer than this process's, which leaves them."""
    others = read_zone_data_status(connection).different
    if not others:
        return []
    used = connection.execute(_used([known.id for known in others])).scalars().all()
    return [known for known in others if known.id in used]


def apply_newer_zone_data(
    connection: sa.Connection, now: datetime, limit: int, request: ZoneDataRequest
) -> bool:
    """Bring the data of this process into force where they are newer; whether more is to do.

    One call looks at no more than `limit` schedules, and is one transaction of the caller's.
    """
    status = read_zone_data_status(connection)
    if status.different and _take(connection, status, now, request):
        status = read_zone_data_status(connection)
    # In bounded parts, each of which may be the last one that its tick has time for.
    moved = _move(connection, status, now, limit, request.author)
    read = _read_versions(connection, now, limit - moved, request.author)
    # Not before the last schedule has moved on: a rule is read by the data that its version names.
    if moved < limit:
        _retire(connection, [known.id for known in status.outdated], now, request.accept_older)
    return moved + read >= limit


def _take(
    connection: sa.Connection, status: ZoneDataStatus, now: datetime, request: ZoneDataRequest
) -> list[Zone]:
    """Put in force what is newer, with one entry in the audit for all of it."""
    found = [
        (mine, known)
        for known in status.different
        if (mine := current().find(known.zone)) is not None
        and request.accepts(judge(mine, known, all_known(connection, known.zone)))
    ]
    zones = [mine for mine, _ in found]
    if zones:
        put_in_force(connection, zones, now, request.author)
        Act(now, request.author).record(
            connection,
            "zone_data.accept_older" if request.accept_older else "zone_data.change",
            SUBJECT,
            before={known.zone: known.version for _, known in found},
            after={zone.name: zone.version for zone in zones},
        )
    return zones


def _move(
    connection: sa.Connection, status: ZoneDataStatus, now: datetime, limit: int, author: Author
) -> int:
    """Let up to `limit` schedules go on by the data in force; how many did."""
    ids = [known.id for known in status.outdated]
    if not ids:
        return 0
    ours = dict(connection.execute(sa.select(_z.zone, _z.id).where(_z.id.in_(status.usable))).all())
    zones = [zone for zone in ours if zone in {known.zone for known in status.outdated}]
    rows = lock_schedules(connection, _v.zone_data_id.in_(ids), _z.zone.in_(zones), limit=limit)
    for row in rows:
        _go_on(connection, row, ours[row.zone_name], now, author)
    return len(rows)


def _go_on(
    connection: sa.Connection, row: AnyRow, zone_data_id: int, now: datetime, author: Author
) -> None:
    since, next_run_at = row.decided_to, row.next_run_at
    try:
        old, new = read_rule(row), Rule.from_json(row.rule)
        since = go_on_after(old, new, row.decided_to)
        next_run_at = following(row, new, since)
    except (ValueError, TypeError):
        pass  # a rule that can't be read: the tick finds out, and backs off from it alone
    number = row.number + 1
    changed = {
        "number": sa.literal(number),
        "since": sa.literal(since, _v.since.type),
        "by": sa.literal(author.name),
        "zone_data_id": sa.literal(zone_data_id),
    }
    # Copied in the database: a definition is long, and nothing else of it changes.
    copy = sa.select(*(_v[name] for name in _COPIED), *changed.values()).where(
        _v.id == row.version_id
    )
    connection.execute(sa.insert(schedule_version).from_select([*_COPIED, *changed], copy))
    its = sa.select(_v.id).where(_v.schedule_id == row.id, _v.number == number).scalar_subquery()
    _write(connection, row, now, version_id=its, decided_to=since, next_run_at=next_run_at)


def following(row: AnyRow, rule: Rule, since: datetime) -> datetime | None:
    """Return its next instant; what a person asked for, or what never fires, stays as it is."""
    if row.next_run_at is None or row.asked_for is not None:
        found: datetime | None = row.next_run_at
        return found
    return instants.first_after(rule, since)


def _read_versions(connection: sa.Connection, now: datetime, limit: int, author: Author) -> int:
    """Note which zone data versions are read with that nobody has looked at; how many."""
    versions = connection.execute(_UNREAD, {"limit_": max(limit, 0)}).all()
    if not versions:
        return 0
    zones = {row.id: _zone_of(row.rule) for row in versions}
    ids = zone_data_ids(connection, {zone for zone in zones.values() if zone}, now, author)
    current_ids = [row.id for row in versions if row.current and ids.get(zones[row.id] or "")]
    for row in versions:
        # By which data an earlier version decided is not known.
        known = ids.get(zones[row.id] or "", NO_ZONE) if row.current else NO_ZONE
        if known is not None:
            connection.execute(_READ, {"version": row.id, "data": known})
    for schedule in lock_schedules(connection, _v.id.in_(current_ids), limit=len(current_ids)):
        work_out_anew(connection, schedule, now)
    return sum(row.id in current_ids or not row.current or not zones[row.id] for row in versions)


def _zone_of(text: str) -> str | None:
    try:
        return zone_of(Rule.from_json(text))
    except (ValueError, TypeError):
        return None


def work_out_anew(connection: sa.Connection, row: AnyRow, now: datetime) -> None:
    """Write a schedule's next instant after its cursor, if it is another than the stored one."""
    try:
        found = following(row, read_rule(row), row.decided_to)
    except (ValueError, TypeError):
        return
    if found != row.next_run_at:
        _write(connection, row, now, next_run_at=found)


def zone_data_ids(
    connection: sa.Connection, zones: Collection[str], now: datetime, author: Author
) -> dict[str, int | None]:
    """The data that versions of these zones are read with: our own, made known if need be.

    None for a zone in which others are in force, 0 for a name that is no zone's.
    """
    mine = {name: zone for name in zones if (zone := current().find(name)) is not None}
    known = {row.zone: row for row in connection.execute(_newest_of(zones))}
    unknown = [zone for name, zone in mine.items() if name not in known]
    put_in_force(connection, unknown, now, author)
    # Asked again: another process may have put other data of the zone in force just before.
    known = {row.zone: row for row in connection.execute(_newest_of(zones))}
    return {name: NO_ZONE for name in zones} | {
        name: known[name].id if known[name].digest == zone.digest else None
        for name, zone in mine.items()
    }


def lock_schedules(
    connection: sa.Connection, *conditions: sa.ColumnElement[bool], limit: int
) -> Sequence[AnyRow]:
    """Schedules with their version and its zone data, locked on PostgreSQL."""
    query = WITH_RULE.where(*conditions).limit(limit)
    return connection.execute(query.with_for_update(of=job_schedule)).all()


def _write(connection: sa.Connection, row: AnyRow, now: datetime, **values: Any) -> None:
    """The guarded write: only if the schedule still stands as it was read."""
    changed = connection.execute(
        sa.update(job_schedule)
        .where(_s.id == row.id, _s.version_id == row.version_id)
        .where(_s.lock_token == row.lock_token, _s.decided_to == row.decided_to)
        .values(**values, updated_at=now)
    ).rowcount
    if changed != 1:
        raise Stale(f"{row.id} was changed by somebody else just now; look again, then repeat.")


def _retire(
    connection: sa.Connection, ids: Collection[int], now: datetime, taken_back: bool
) -> None:
    """Mark the data as replaced that no schedule goes by any more."""
    if ids:
        connection.execute(
            sa.update(zone_data)
            .where(_z.id.in_(ids), _z.id.not_in(_used(ids)), _z.replaced_at.is_(None))
            .values(replaced_at=now, taken_back=taken_back)
        )


def _used(ids: Iterable[int]) -> sa.Select[Any]:
    """The ids among these of data that some schedule goes by."""
    return (
        sa.select(_v.zone_data_id)
        .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
        .where(_v.zone_data_id.in_(ids))
        .distinct()
    )


def _newest_of(zones: Collection[str]) -> sa.Select[Any]:
    newest = sa.select(sa.func.max(_z.id)).where(_z.zone.in_(zones), _z.replaced_at.is_(None))
    return sa.select(_z.id, _z.zone, _z.digest).where(_z.id.in_(newest.group_by(_z.zone)))


_COPIED = (
    *("schedule_id", "definition", "digest", "rule", "rule_key", "rule_format"),
    *("limited", "overlap", "mode", "target", "target_key"),
)
_MAY_READ = _v.rule_format <= sa.literal_column(str(RULE_FORMAT))
IS_ANY_UNREAD = (
    sa.exists().where(_v.zone_data_id.is_(None), _MAY_READ).select_from(schedule_version)
)
_UNREAD = (
    sa.select(_v.id, _v.rule, _s.id.is_not(None).label("current"))
    .outerjoin_from(schedule_version, job_schedule, _s.version_id == _v.id)
    .where(_v.zone_data_id.is_(None), _MAY_READ)
    .order_by(_v.id)
    .limit(sa.bindparam("limit_", type_=sa.Integer))
)
_READ = (
    sa.update(schedule_version)
    .where(_v.id == sa.bindparam("version"), _v.zone_data_id.is_(None))
    .values(zone_data_id=sa.bindparam("data"))
)
