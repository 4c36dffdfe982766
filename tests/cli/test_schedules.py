"""`tick schedules`, `tick enable`, `tick disable`, `tick now`: when things fire."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.cli.conftest import CommandLine
from tick import clock
from tick.store.tables import audit_entry, job_schedule, schedule_version


def test_schedules_come_as_a_table_with_tabs_in_a_pipe(tick: CommandLine) -> None:
    lines = [line.split("\t") for line in tick.good("schedules").splitlines()]
    assert lines[0] == [
        "ID",
        "ENABLED",
        "STATE",
        "WHEN",
        "LAST",
        "AT (UTC)",
        "NEXT (UTC)",
        "LABELS",
    ]
    assert [line[:3] for line in lines[1:]] == [
        ["launch", "no", "ACTIVE"],
        ["monthly-report", "no", "ACTIVE"],
    ]


def test_schedules_come_as_json_with_what_runs_and_when(tick: CommandLine) -> None:
    tick.good("enable", "monthly-report")
    (row,) = [row for row in tick.json("schedules") if row["id"] == "monthly-report"]
    timing = row["timing"]
    assert (timing["expression"], timing["timezone"], row["mode"]) == ("0 0 1 * *", "UTC", "GROUP")
    assert row["enabled"] is True
    assert row["next_run_at"].endswith("-01T00:00:00Z")


def test_without_schedules_the_next_step_is_named_and_the_output_empty(
    unsynced: CommandLine,
) -> None:
    result = unsynced("schedules")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "`tick sync`" in result.stderr
    assert unsynced.json("schedules") == []


def test_enable_tells_the_next_instant_and_may_be_repeated(tick: CommandLine) -> None:
    said = tick.good("enable", "monthly-report")
    assert said.startswith("monthly-report is on; next: ") and said.endswith("-01 00:00 UTC\n")
    assert tick.good("enable", "monthly-report") == said


def test_enable_of_what_never_comes_again_tells_so(tick: CommandLine) -> None:
    assert tick.good("enable", "launch") == "launch is on; next: never\n"


def test_disable_keeps_its_reason_in_the_audit_and_may_be_repeated(tick: CommandLine) -> None:
    tick.good("enable", "monthly-report")
    said = tick.good("disable", "monthly-report", "--reason", "the figures moved")
    assert said.startswith("monthly-report is off since ")
    assert tick.good("disable", "monthly-report") == said
    reasons = [str(row) for row in tick.rows(sa.select(audit_entry))]
    assert sum("the figures moved" in row for row in reasons) == 1


def test_a_schedule_that_nobody_knows_is_named_with_where_to_look(tick: CommandLine) -> None:
    for command in ("enable", "disable"):
        said = tick.bad(command, "monthly")
        assert (
            said
            == "Error: No schedule is called 'monthly'; `tick schedules` lists those there are.\n"
        )


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("enable", ()),
        ("disable", ("--reason", "moving")),
        ("pause", ("--reason", "moving")),
        ("resume", ()),
    ],
)
def test_a_command_on_many_schedules_reports_each_and_stops_at_none(
    tick: CommandLine, command: str, options: tuple[str, ...]
) -> None:
    ids = ("monthly-report", "launch")
    if command == "resume":
        tick.good("pause", *ids, "--reason", "moving")
    lines = tick.good(command, *ids, *options).splitlines()
    assert [line.partition(" ")[0] for line in lines] == [*ids]
    if command == "resume":
        tick.good("pause", *ids, "--reason", "moving")
    partly = tick(command, "monthly-report", "nobody", "launch", "launch", *options)
    assert partly.exit_code == 1
    assert [line.partition(" ")[0] for line in partly.stdout.splitlines()] == [*ids]
    said = partly.stderr.splitlines()
    unknown = "nobody: No schedule is called 'nobody'; `tick schedules` lists those there are."
    assert (said[0], said[-1]) == (unknown, "2 of 3 done.")


def test_many_schedules_as_json_tell_each_error_and_the_entry_that_takes_it_back(
    tick: CommandLine,
) -> None:
    assert tick.json("enable", "monthly-report", "launch")["done"] == ["launch", "monthly-report"]
    result = tick("disable", "launch", "nobody", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["done"]) == (1, ["launch"])
    assert "No schedule is called 'nobody'" in found["refused"]["nobody"]
    assert tick.json("undo", str(found["entry_id"]))["done"] == ["launch"]
    assert [row["enabled"] for row in tick.json("schedules")] == [True, True]


def test_what_is_about_one_schedule_is_refused_beside_several(tick: CommandLine) -> None:
    said = tick.bad("enable", "launch", "monthly-report", "--revision", "0" * 16, status=2)
    assert "--revision is about one of them: give one id beside it." in said
    said = tick.bad("resume", "launch", "monthly-report", "--run", "2026-03-01", status=2)
    assert "--run is about one of them" in said
    assert "Name a schedule, or --label" in tick.bad("enable", status=2)
    assert "not both" in tick.bad("enable", "launch", "--label", "nightly", status=2)


def test_now_says_when_nothing_was_due(tick: CommandLine) -> None:
    result = tick("now")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Nothing was due.\n")
    assert tick.json("now")["due"] == 0


def test_now_lists_what_it_fired(tick: CommandLine) -> None:
    tick.good("enable", "monthly-report", "--catch-up")
    heading, line = tick.good("now").splitlines()
    assert heading.split("\t") == ["SCHEDULE", "INSTANT (UTC)", "OUTCOME", "RUNS", "REASON"]
    assert line.startswith("monthly-report\t")
    assert "\tQUEUED\t2\t" in line


def test_now_lists_what_it_fired_as_json(tick: CommandLine) -> None:
    tick.good("enable", "monthly-report", "--catch-up")
    result = tick.json("now")
    assert (result["fired_count"], result["runs"], result["errors"]) == (1, 2, {})
    assert result["fired"][0]["schedule_id"] == "monthly-report"


def test_now_syncs_definitions_that_were_never_seen(unsynced: CommandLine) -> None:
    unsynced("now")
    assert [row["id"] for row in unsynced.json("schedules")] == ["launch", "monthly-report"]


def test_now_fails_and_names_a_schedule_that_it_could_not_decide(tick: CommandLine) -> None:
    tick.good("enable", "monthly-report", "--catch-up")
    with tick.database.write.begin() as connection:
        connection.execute(sa.update(schedule_version).values(target="{}"))
    result = tick("now")
    assert result.exit_code == 1
    assert "monthly-report: " in result.stderr


def put_into_the_future(tick: CommandLine) -> None:
    """The cursor of the one schedule that is on, as a clock a day ahead leaves it."""
    tick.good("enable", "monthly-report")
    s = job_schedule.c
    ahead = sa.update(job_schedule).where(s.id == "monthly-report")
    with tick.database.write.begin() as connection:
        connection.execute(ahead.values(decided_to=clock.now() + timedelta(days=1)))


def test_what_a_clock_ahead_did_is_told_and_taken_back_for_all(tick: CommandLine) -> None:
    put_into_the_future(tick)
    said = tick("status")
    assert said.exit_code == 1
    assert "a clock was ahead" in said.stdout
    back = tick.good("resume", "--from-now", "--all")
    assert back.splitlines() == ["1 schedule brought back.", "  monthly-report"]
    assert "a clock was ahead" not in tick("status").stdout


def test_what_a_clock_ahead_did_is_taken_back_for_one(tick: CommandLine) -> None:
    put_into_the_future(tick)
    said = tick.good("resume", "monthly-report", "--from-now")
    assert said.startswith("monthly-report goes on from now; next: ")
    assert "is not ahead" in tick.bad("resume", "monthly-report", "--from-now")


def test_resume_is_for_one_schedule_or_from_now_for_all(tick: CommandLine) -> None:
    for mistaken in (["resume"], ["resume", "--all"], ["resume", "launch", "--from-now", "--all"]):
        assert tick(*mistaken).exit_code == 2
