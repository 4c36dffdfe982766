"""The commands that write schedules by hand, here and through a console."""

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.test_remote import FarCommandLine, console, far  # noqa: F401  (fixtures)


@pytest.fixture(params=["near", "far"])
def line(
    request: pytest.FixtureRequest,
    tick: CommandLine,
    far: FarCommandLine,  # noqa: F811
) -> CommandLine | FarCommandLine:
    return far if request.param == "far" else tick


def test_a_schedule_is_added_edited_deleted_and_restored(line: CommandLine) -> None:
    said = line.good("add", "Late fetch", "--cron", "0 23 * * *", "--job", "fetch")
    assert said == (
        "late-fetch was added, switched off; `tick enable late-fetch` switches it on.\n"
    )
    edited = line.json("edit", "late-fetch", "--every", "2h", "--option", "grace=600")
    assert (edited["timing"]["words"], edited["version"]) == ("Every 2 hours", 2)
    assert edited["rule"]["grace_seconds"] == 600
    assert "`tick restore late-fetch`" in line.good("delete", "late-fetch", "--reason", "done")
    assert "REMOVED" in line.good("schedule", "late-fetch")
    assert "late-fetch is back as it was, switched off" in line.good("restore", "late-fetch")


def test_steps_of_the_local_calendar_are_written_in_words(line: CommandLine) -> None:
    berlin = ("--timezone", "Europe/Berlin", "--job", "fetch")
    step = ("--every", "3 months on 31 at 18:00", "--anchor", "2100-01-15")
    added = line.json("add", "Quarters", *step, *berlin, "--enabled")
    words = "Every 3 months on the last day at 18:00, counted from 2100-01-31"
    assert added["timing"]["words"] == words
    assert added["next_run_at"] == "2100-01-31T17:00:00Z"
    assert f"{words} (Europe/Berlin)" in line.good("schedule", "quarters")
    edited = line.json("edit", "quarters", "--every", "week on mon at 7:30")
    assert edited["timing"]["words"] == "Every week on Monday at 07:30, counted from 2100-01-18"


def test_a_day_that_cron_refuses_is_written_as_the_refusal_says(line: CommandLine) -> None:
    refused = line.bad("add", "Close", "--cron", "0 18 LW * *", "--job", "fetch", status=1)
    assert "'month on last weekday' by hand" in refused
    step = ("--every", "month on last weekday at 18:00", "--anchor", "2100-01-01")
    added = line.json("add", "Close", *step, "--job", "fetch", "--enabled")
    assert added["next_run_at"] == "2100-01-29T18:00:00Z"
    edited = line.json("edit", "close", "--every", "month on last business day")
    assert edited["timing"]["words"].startswith("Every month on the last business day at 00:00")


def test_null_takes_an_option_away(line: CommandLine) -> None:
    line.good("add", "Late", "--cron", "0 23 * * *", "--job", "fetch", "--option", "grace=600")
    edited = line.json("edit", "late", "--option", "grace=null")
    assert ("grace_seconds" in edited["rule"], edited["version"]) == (False, 2)
    line.good("edit", "late", "--option", "grace=60")
    called = line.json("call", "update_schedule", "schedule_id=late", "grace=null")
    assert "grace_seconds" not in called["rule"]


def test_limits_are_options_like_others_and_are_shown(line: CommandLine) -> None:
    limits = ("--option", "deadline=5400", "--option", "retries=1", "--option", "pause_after=3")
    line.good("add", "Late", "--cron", "0 23 * * *", "--job", "fetch", *limits)
    shown = line.good("schedule", "late")
    said = "each firing ends within 90 minutes, 1 retry instead of its jobs', pauses itself after"
    assert f"  limits:    {said} 3 failed firings in a row" in shown
    refused = line.bad("edit", "late", "--option", "timeout=5400", status=1)
    assert "timeout 5400 has no effect within deadline 5400" in refused
    line.good("edit", "late", "--option", "deadline=null", "--option", "pause_after=null")
    assert "  limits:    1 retry instead of its jobs'\n" in line.good("schedule", "late")


def test_one_that_is_added_enabled_says_when_it_fires(line: CommandLine) -> None:
    said = line.good("add", "All", "--at", "2100-01-01T02:00Z", "--all", "--enabled")
    assert said == "all was added, on; next: 2100-01-01 02:00 UTC.\n"


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["add", "Late", "--cron", "0 25 * * *", "--job", "fetch"], 1, "body.cron: hour '25'"),
        (["add", "Late", "--cron", "0 2 * * *", "--job", "fetsh"], 1, "did you mean 'fetch'"),
        (["add", "Late", "--params", "{", "--cron", "0 2 * * *"], 2, "--params is not JSON"),
        (["add", "Late", "--cron", "0 2 * * *", "--option", "grace"], 2, "write NAME=VALUE"),
        (["add", "Late", "--cron", "0 2 * * *", "--option", "gracee=1"], 1, "did you mean grace"),
        (["add", "Late", "--every", "2 fortnights"], 2, "'2 days at 09:00'"),
        (["add", "Late", "--every", "2 days at 25:00", "--all"], 1, "is no time of day"),
        (["add", "Late", "--every", "1d", "--anchor", "2027-01-31"], 1, "must be a datetime"),
        (["edit", "monthly-report", "--cron", "0 2 * * *"], 1, "lives in code"),
        (["delete", "monthly-report"], 1, "lives in code"),
        (["restore", "monthly-report"], 1, "lives in code"),
    ],
)
def test_what_does_not_fit_says_what_to_write(
    line: CommandLine, command: list[str], status: int, said: str
) -> None:
    assert said in line.bad(*command, status=status)
