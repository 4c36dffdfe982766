"""Time zone data made by a test: releases in which a zone's clocks show something else."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tick.cron import zone_data
from tick.cron.zone_data import ZoneData
from tick.cron.zone_files import ZoneFile, decode
from tick.zone_sources import Source, system_sources

_HEADER = struct.Struct(">4sc15x6l")


def encode(said: ZoneFile) -> bytes:
    """A TZif file that says so; its zone has no abbreviations."""
    kinds = sorted(set(said.offsets), key=list(said.offsets).index)
    return b"".join(
        (
            _HEADER.pack(b"TZif", b"2", 0, 0, 0, 0, 1, 1) + struct.pack(">lbb", 0, 0, 0) + b"\0",
            _HEADER.pack(b"TZif", b"2", 0, 0, 0, len(said.times), len(kinds), 1),
            struct.pack(f">{len(said.times)}q", *said.times),
            bytes(kinds.index(offset) for offset in said.offsets[1:]),
            *(struct.pack(">lbb", offset, 0, 0) for offset in kinds),
            b"\0\n" + said.footer.encode() + b"\n",
        )
    )


def fixed(hours: float) -> bytes:
    """A zone without clock changes, so many hours east of Greenwich."""
    seconds = round(hours * 3600)
    sign, length = ("-" if seconds >= 0 else "+"), abs(seconds)
    footer = f"<x>{sign}{length // 3600:02}:{length // 60 % 60:02}"
    return encode(ZoneFile((), (seconds,), footer))


def shifted(name: str, at: datetime, hours: float) -> bytes:
    """The zone as it is installed, but from `at` on it stays so many hours from Greenwich."""
    installed = decode(zone_data.current().zone(name).data)
    moment, offset = int(at.timestamp()), round(hours * 3600)
    kept = [number for number, time in enumerate(installed.times) if time < moment]
    times = [installed.times[number] for number in kept] + [moment]
    offsets = [installed.offsets[0], *(installed.offsets[number + 1] for number in kept), offset]
    return encode(replace(installed, times=times, offsets=offsets, footer=_footer(fixed(hours))))


def _footer(data: bytes) -> str:
    return decode(data).footer


def released(
    version: str | None, zones: Mapping[str, bytes], place: str = "a release of the test"
) -> ZoneData:
    """Zone data of that release: these zones, and the installed ones for the rest."""
    installed: Sequence[Source] = system_sources()
    return ZoneData([Source(place, version, zones.get), *installed])
