"""`tick calendars`, and calendars in a team's own tests."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.factories import a_schedule
from tick import Calendar, days
from tick.cli import main
from tick.errors import DefinitionsInvalid
from tick.testing import assert_fires, fires

PLANT = Calendar("plant", dates={"2026-03-04": "Founders' Day"}, half_days={"2026-12-24": "13:00"})
MODULE = """
from tick import Calendar, job

@job(name="a", group="g")
def a(): ...

plant = Calendar("plant", dates={"2026-03-04": "Founders' Day"}, half_days={"2026-12-24": "13:00"})
cn = Calendar("cn", country="CN")
"""


@pytest.fixture
def defined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of definitions with two calendars, and a database of its own."""
    (tmp_path / "calendar_definitions.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("TICK_DEFINITIONS", "calendar_definitions")
    monkeypatch.setenv("TICK_DATABASE_URL", f"sqlite:///{tmp_path}/tick.db")
    assert CliRunner().invoke(main, ["db", "upgrade"]).exit_code == 0


def said(*arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("defined")
def test_calendars_are_listed_and_one_with_its_holidays() -> None:
    listed = {
        each["name"]: each for each in json.loads(said("calendars", "--year", "2026", "--json"))
    }
    assert listed["plant"]["made_from"] == "its own dates"
    assert listed["cn"]["known_until"] == "2026-12-31"
    assert "2026-02-14" in listed["cn"]["working_weekends"]
    lines = [line.split("\t") for line in said("calendars", "plant", "--year", "2026").splitlines()]
    assert lines[1:] == [
        ["2026-03-04", "Wednesday", "Founders' Day", "-"],
        ["2026-12-24", "Thursday", "half day, over at 13:00", "-"],
    ]


@pytest.mark.usefixtures("defined")
def test_an_unknown_calendar_is_named() -> None:
    result = CliRunner().invoke(main, ["calendars", "plnt"])
    assert result.exit_code != 0
    assert (
        "No calendar is called 'plnt' (did you mean 'plant'?); `tick calendars` lists them"
        in result.output
    )


def test_a_team_tests_its_schedule_with_the_calendar() -> None:
    report = a_schedule(calendar="plant")
    assert_fires(
        report,
        "2026-03-03",
        "2026-03-07",
        ["2026-03-03 02:00", "2026-03-05 02:00", "2026-03-06 02:00"],
        calendars=[PLANT],
    )
    stepping = a_schedule(every=days(1, at="02:00"), anchor=date(2026, 3, 1), calendar="plant")
    found = fires(stepping, "2026-03-02", "2026-03-09", calendars=[PLANT])
    assert [at.day for at in found] == [2, 3, 5, 6]
    with pytest.raises(DefinitionsInvalid, match="calendar 'plant' is not defined"):
        fires(report, "2026-03-03", "2026-03-07")
