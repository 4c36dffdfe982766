"""`tick sync`, `tick check`, `tick cron next`: what the code says."""

import pytest

from tests.cli.conftest import CommandLine

MISTAKEN = {"TICK_DEFINITIONS": "tests.cli.mistaken"}
NO_DATABASE = {"TICK_DATABASE_URL": "postgresql://tick:pass@127.0.0.1:1/tick"}


def test_sync_tells_what_it_changed_and_then_nothing(unsynced: CommandLine) -> None:
    assert unsynced.good("sync").splitlines() == [
        "Definitions are at generation 1.",
        "added: monthly-report, launch",
    ]
    assert unsynced.good("sync") == "Definitions are at generation 1.\n"


def test_sync_as_json(unsynced: CommandLine) -> None:
    report = unsynced.json("sync")
    assert (report["generation"], report["added"]) == (1, ["monthly-report", "launch"])
    assert unsynced.json("sync")["added"] == []


@pytest.mark.parametrize("command", ["sync", "check"])
def test_mistakes_stop_sync_and_check_and_all_are_told(unsynced: CommandLine, command: str) -> None:
    said = unsynced.bad(command, **MISTAKEN)
    assert said.startswith("Error: 2 mistakes in the definitions:\n  - ")
    assert "nowhere" in said
    assert "hour '25'" in said
    assert said.count("mistaken.py:") == 2


def test_check_needs_no_database(tick: CommandLine) -> None:
    assert tick.good("check", **NO_DATABASE).splitlines() == [
        "GROUP\tJOBS",
        "reports\tfetch, report",
        "trouble\texplode",
        "3 jobs in 2 groups and 2 schedules: no mistakes.",
    ]


def test_check_as_json(tick: CommandLine) -> None:
    assert tick.json("check") == {
        "jobs": {"fetch": "reports", "report": "reports", "explode": "trouble"},
        "schedules": ["monthly-report", "launch"],
    }


def test_check_names_a_package_that_is_not_there(tick: CommandLine) -> None:
    assert "no_such_package" in tick.bad("check", TICK_DEFINITIONS="no_such_package")


SPRING = ["--tz", "Europe/Paris", "--after", "2026-03-29T00:30:00Z", "-n", "2"]


def test_cron_next_shows_instants_in_utc_and_on_the_local_clock(tick: CommandLine) -> None:
    words, *lines = tick.good("cron", "next", "30 3 * * *", *SPRING).splitlines()
    assert "03:30" in words
    assert lines == [
        "2026-03-29T01:30:00Z  Sun 2026-03-29 03:30 CEST",
        "2026-03-30T01:30:00Z  Mon 2026-03-30 03:30 CEST",
    ]


def test_cron_next_as_json(tick: CommandLine) -> None:
    answer = tick.json("cron", "next", "30 3 * * *", *SPRING)
    assert answer["next"] == ["2026-03-29T01:30:00Z", "2026-03-30T01:30:00Z"]
    assert "03:30" in answer["words"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["0 25 * * *"], "hour '25'"),
        (["0 2 * *"], "five"),
        (["0 2 * * *", "--tz", "Mars/Olympus"], "'Mars/Olympus'"),
    ],
)
def test_cron_next_names_the_field_that_is_wrong(
    tick: CommandLine, arguments: list[str], said: str
) -> None:
    assert said in tick.bad("cron", "next", *arguments)


def test_cron_next_wants_an_iso_instant(tick: CommandLine) -> None:
    said = tick.bad("cron", "next", "0 2 * * *", "--after", "tomorrow", status=2)
    assert "--after" in said and "'tomorrow'" in said and "2026-03-29T00:30Z" in said


def test_check_needs_no_secret(unsynced: CommandLine) -> None:
    assert "no mistakes" in unsynced.good("check", TICK_SECRET_KEY_FILE="nowhere/key")
