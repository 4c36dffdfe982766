"""What identifies a zone's data: what its clocks show in the time that schedules live in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support.zones import encode, shifted
from tick.cron import zone_data
from tick.cron.zone_files import decode, digest


def with_change(name: str, at: datetime, offset_seconds: int) -> bytes:
    """The zone as it is installed, but the offset after its last change before `at` is another."""
    said = decode(zone_data.current().zone(name).data)
    before = [number for number, time in enumerate(said.times) if time < at.timestamp()]
    offsets = list(said.offsets)
    offsets[before[-1] + 1] = offset_seconds
    return encode(replace(said, offsets=offsets))


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
def test_zone_data_that_differ_only_before_2000_are_the_same(name: str) -> None:
    installed = zone_data.current().zone(name)
    other = with_change(name, datetime(1949, 1, 1, tzinfo=UTC), 4321)
    assert other != installed.data
    assert digest(other) == installed.digest


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
def test_what_differs_later_is_other_data(name: str) -> None:
    installed = zone_data.current().zone(name)
    assert digest(shifted(name, datetime(2031, 3, 1, tzinfo=UTC), 2.25)) != installed.digest
