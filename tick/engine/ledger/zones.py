"""The zone data that an installation decides by, and how those of this process stand to them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from tick.cron import zone_data as data
from tick.cron.zone_age import StoredZone
from tick.cron.zone_data import Zone, ZoneData, build_zone
from tick.engine.ledger.audit import Author
from tick.policy.rule import Rule
from tick.store.sql import AnyRow, insert_ignore
from tick.store.tables import zone_data

_z = zone_data.c
NO_ZONE = 0
"""The id to which versions refer whose instants depend on no zone data."""
ZONE_COLUMNS = (
    _z.zone.label("zone_name"),
    _z.digest.label("zone_digest"),
    _z.version.label("zone_version"),
    _z.file.label("zone_file"),
)
# Zones and digests hold no blanks; "?" stands for an unknown release.
_ID, _RELEASE = sa.cast(_z.id, sa.Text), sa.func.coalesce(_z.version, "?")
_SAID = _ID + " " + _z.zone + " " + _z.digest + " " + _RELEASE
_SAID_OF_ALL = sa.select(sa.func.aggregate_strings(_SAID, ",")).where(_z.replaced_at.is_(None))
IN_FORCE = _SAID_OF_ALL.scalar_subquery()
"""All that are in force, as one text: a tick that finds nothing new pays for no more."""


@dataclass(frozen=True)
class ZoneDataStatus:
    """This process's data beside those in force: the ids by which it may decide are `usable`.

    `different` are the newest data of zones where its own are not the same, `outdated` those that
    a schedule may still go by though newer ones are in force.
    """

    usable: tuple[int, ...]
    different: tuple[StoredZone, ...] = ()
    outdated: tuple[StoredZone, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether there is nothing to do about them."""
        return not self.different and not self.outdated


def zone_data_status(said: str | None) -> ZoneDataStatus:
    """The data of this process compared with the answer to `IN_FORCE`."""
    return _zone_data_status(said or "", data.current())


def read_zone_data_status(connection: sa.Connection) -> ZoneDataStatus:
    """The same, asked now."""
    return zone_data_status(connection.execute(sa.select(IN_FORCE)).scalar())


# Of the text, which is the same in nearly every tick.
@lru_cache(maxsize=64)
def _zone_data_status(said: str, current: ZoneData) -> ZoneDataStatus:
    rows = sorted(map(_known, said.split(",") if said else ()), key=lambda known: known.id)
    newest = {known.zone: known for known in rows}
    mine = {known.id for known in newest.values() if _is_ours(known, current)}
    return ZoneDataStatus(
        usable=(NO_ZONE, *sorted(mine)),
        different=tuple(known for known in newest.values() if known.id not in mine),
        outdated=tuple(known for known in rows if known is not newest[known.zone]),
    )


def _known(said: str) -> StoredZone:
    id, zone, digest, version = said.split(" ")
    return StoredZone(int(id), zone, digest, None if version == "?" else version)


def _is_ours(known: StoredZone, current: ZoneData) -> bool:
    zone = current.find(known.zone)
    return zone is not None and zone.digest == known.digest


def all_known(connection: sa.Connection, zone: str) -> list[StoredZone]:
    """All data of a zone that were ever decided by, the oldest first."""
    rows = connection.execute(
        sa.select(_z.id, _z.zone, _z.digest, _z.version, _z.replaced_at.is_not(None), _z.taken_back)
        .where(_z.zone == zone)
        .order_by(_z.id)
    )
    return [StoredZone(*row) for row in rows]


def put_in_force(
    connection: sa.Connection, zones: Sequence[Zone], now: datetime, author: Author
) -> None:
    """Decide by these data from now on; those that are in force already stay as they are."""
    rows = [
        {"zone": zone.name, "digest": zone.digest, "version": zone.version, "file": zone.data}
        | {"since": now, "by": author.name}
        for zone in zones
    ]
    if rows:
        connection.execute(insert_ignore(connection.dialect.name, zone_data), rows)


def read_rule(row: AnyRow) -> Rule:
    """A row's `rule`, read with the zone data that its version names in ZONE_COLUMNS.

    Raises ValueError or TypeError if this release can't read it.
    """
    return rule_by(row.rule, row.zone_name, row.zone_digest, row.zone_version, row.zone_file)


def rule_by(
    text: str, name: str | None, digest: str | None, version: str | None, file: bytes | None
) -> Rule:
    """The rule of a text, by the zone data of that digest; by this process's for None."""
    rule = Rule.from_json(text)
    if name is None or digest is None or file is None:
        return rule
    ours = data.current().find(name)
    if ours is not None and ours.digest == digest:
        return rule
    return replace(rule, zone=_kept(name, bytes(file), version))


def kept_zones(connection: sa.Connection, ids: Collection[int]) -> dict[int, Zone]:
    """The zones of stored data by their ids; asks nothing for none."""
    if not ids:
        return {}
    rows = connection.execute(sa.select(_z.id, _z.zone, _z.file, _z.version).where(_z.id.in_(ids)))
    return {row.id: _kept(row.zone, bytes(row.file), row.version) for row in rows}


@lru_cache(maxsize=256)
def _kept(name: str, file: bytes, version: str | None) -> Zone:
    return build_zone(name, file, version)
