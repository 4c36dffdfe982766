"""Which time zone data are gone by: the newest on the machine, or what `TICK_ZONE_DATA` says."""

import os
import subprocess
import sys
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.zones import fixed
from tick import zone_sources
from tick.cron.zone_data import ZoneData
from tick.errors import SettingsError
from tick.settings import load_settings
from tick.zone_sources import chosen_sources, folder

ZONE, ONLY_IN_PACKAGE = "America/Vancouver", "Asia/Tokyo"
NOON = datetime(2027, 6, 1, 12, tzinfo=UTC)
SYSTEM, PACKAGE = -1, 1
Machine = Callable[[str | None, str | None], Path]


def made(place: Path, version: str | None, hours: float, *names: str) -> Path:
    """Make a folder of zone files of that release, in which the zones are so far from Greenwich."""
    for name in ("UTC", *names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(fixed(hours))
    if version is not None:
        (place / "tzdata.zi").write_text(f"# version {version}\n")
    return place


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with data of its own (an hour west) beside the package's (an hour east)."""

    def become(system: str | None, package: str | None) -> Path:
        place = made(tmp_path / "system", system, SYSTEM, ZONE)
        monkeypatch.setattr(zoneinfo, "TZPATH", (str(tmp_path / "none"), str(place)))
        its = folder(made(tmp_path / "package", package, PACKAGE, ZONE, ONLY_IN_PACKAGE), "package")
        monkeypatch.setattr(zone_sources, "_package", lambda: its)
        return place

    return become


def hours(choice: str, zone: str = ZONE) -> float | None:
    """How far from Greenwich the zone is by that choice; None if it is not known."""
    found = ZoneData(chosen_sources(choice)).find(zone)
    offset = None if found is None else found.tzinfo.utcoffset(NOON)
    return None if offset is None else offset.total_seconds() / 3600


@pytest.mark.parametrize(
    ("system", "package", "newest"),
    [
        ("2025b", "2026f", PACKAGE),
        ("2026f", "2025b", SYSTEM),
        ("2026a", "2026a", SYSTEM),  # equal: Python's order
        (None, "2025b", PACKAGE),
    ],
)
def test_the_newest_of_the_machine_s_data_is_gone_by(
    machine: Machine, system: str | None, package: str | None, newest: int
) -> None:
    machine(system, package)
    assert hours("newest") == newest


def test_a_choice_is_kept_though_other_data_are_newer(machine: Machine) -> None:
    machine("2025b", "2026f")
    assert hours("system") == SYSTEM
    machine("2026f", "2025b")
    assert hours("package") == PACKAGE


def test_the_system_s_data_leave_what_they_lack_to_the_package(machine: Machine) -> None:
    machine("2025b", "2026f")
    assert hours("system", ONLY_IN_PACKAGE) == PACKAGE


def test_a_folder_alone_decides(machine: Machine, tmp_path: Path) -> None:
    machine("2025b", "2026f")
    own = made(tmp_path / "own", None, 3, ZONE)
    assert hours(str(own)) == 3
    assert hours(str(own), ONLY_IN_PACKAGE) is None


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("latest", "nor an absolute path"),
        ("", "nor an absolute path"),
        ("zones", "nor an absolute path"),
        ("/nowhere/at/all", "holds no time zone files"),
    ],
)
def test_a_choice_that_names_no_data_stops_the_start(choice: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as refused:
        load_settings({"TICK_ZONE_DATA": choice})
    assert str(refused.value).startswith("TICK_ZONE_DATA: ")


def test_a_system_without_zone_files_is_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    with pytest.raises(SettingsError, match=r"PYTHONTZPATH is empty.*choose 'package'"):
        load_settings({"TICK_ZONE_DATA": "system"})


@pytest.mark.parametrize("by_file", [False, True])
def test_a_command_goes_by_the_data_of_the_setting(tmp_path: Path, by_file: bool) -> None:
    own = made(tmp_path / "own", "2030a", 3, ZONE)
    setting = {"TICK_ZONE_DATA": str(own)}
    if by_file:
        (tmp_path / "choice").write_text(f"{own}\n")
        setting = {"TICK_ZONE_DATA_FILE": str(tmp_path / "choice")}
    asked = ("cron", "next", "0 9 * * *", "--tz", ZONE, "--after", "2027-01-01", "--json")
    command = (sys.executable, "-m", "tick.cli", *asked)
    said = subprocess.run(command, env=os.environ | setting, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "2027-01-01T06:00:00Z" in said.stdout
