"""Stopping the scheduler and planning windows from the command line."""

from tests.cli.conftest import CommandLine

PLAN = ("windows", "add", "--from", "2100-01-01T02:00Z", "--to", "2100-01-01T03:00Z")


def test_the_scheduler_is_stopped_and_started(tick: CommandLine) -> None:
    assert tick.good("scheduler", "status") == "Schedules fire.\n"
    assert tick.good("scheduler", "stop", "--reason", "move") == "The scheduler is stopped.\n"
    assert tick.good("scheduler", "stop", "--reason", "x").endswith("stopped already.\n")
    assert "Nothing fires: the scheduler was stopped" in tick.good("scheduler", "status")
    assert tick.json("scheduler", "status")["stands"] is True
    tick.good("now")  # where none ever came, that is what `status` fails with
    assert tick.json("status")["stands_because"].endswith(": move")
    assert tick.json("scheduler", "start") == {"changed": True}
    assert tick.good("scheduler", "start") == "The scheduler was not stopped.\n"


def test_a_window_is_planned_listed_and_called_off(tick: CommandLine) -> None:
    assert tick("windows", "list").stderr.startswith("No window yet: `tick windows add`")
    said = tick.good(*PLAN, "--reason", "new disks")
    assert said == "Window 1 is planned; `tick windows end 1` calls it off.\n"
    assert tick.json(*PLAN, "--reason", "new disks") == {"window_id": 1}
    (row,) = tick.json("windows", "list")
    assert (row["phase"], row["reason"], row["ended_by"]) == ("TO_COME", "new disks", None)
    assert "new disks" in tick.good("windows", "list")
    assert tick.good("windows", "end", "1") == "Window 1 is over.\n"
    assert tick.json("windows", "end", "1") == {"changed": False}


def test_what_can_not_be_is_told(tick: CommandLine) -> None:
    assert "--reason" in tick.bad("scheduler", "stop", status=2)
    assert "has passed" in tick.bad(
        *("windows", "add", "--from", "2020-01-01", "--to", "2020-01-02", "--reason", "x")
    )
    assert "`tick windows list` lists them" in tick.bad("windows", "end", "7")


def test_what_is_to_come_says_that_it_will_not_fire(tick: CommandLine) -> None:
    tick.good("enable", "monthly-report")
    tick.good("scheduler", "stop", "--reason", "move")
    first = tick.json("next", "-n", "1")[0]
    assert first["fires"] is False
    assert first["blackout"].endswith(": move")


def test_a_window_of_one_schedule_comes_again_and_again(tick: CommandLine) -> None:
    plan = ("windows", "add", "--schedule", "monthly-report", "--every-cron", "0 2 * * 0")
    plan += ("--for", "2h", "--timezone", "Europe/Berlin", "--reason", "backups")
    assert tick.good(*plan) == "Window 1 is planned; `tick windows end 1` calls it off.\n"
    (row,) = tick.json("windows", "list")
    shown = ("schedule_id", "cron", "timezone", "length_seconds", "ends_at")
    assert [row[name] for name in shown] == [
        *["monthly-report", "0 2 * * 0", "Europe/Berlin", 7200.0, None],
    ]
    assert "0 2 * * 0" in tick.good("windows", "list")
    assert tick.json("windows", "end", "1") == {"changed": True}


def test_a_window_that_is_not_whole_is_told_what_it_lacks(tick: CommandLine) -> None:
    plan = ("windows", "add", "--reason", "x")
    assert "starts_at and ends_at say from when to when" in tick.bad(*plan)
    assert "give both" in tick.bad(*plan, "--every-cron", "0 2 * * 0")
    assert "give both" in tick.bad(*PLAN, "--reason", "x", "--for", "2h")
    assert "no time of the week" in tick.bad(*plan, "--weekly", "at night")
    both = ("--schedule", "launch", "--label", "nightly")
    assert "give one of them" in tick.bad(*PLAN, "--reason", "x", *both)
    assert "timezone is for what recurs" in tick.bad(*PLAN, "--reason", "x", "--timezone", "UTC")
    assert "hour" in tick.bad(*plan, "--every-cron", "0 25 * * 0", "--for", "2h")
    assert "No schedule is called" in tick.bad(*PLAN, "--reason", "x", "--schedule", "nobody")


def test_what_is_due_in_a_window_may_run_after_it(tick: CommandLine) -> None:
    tick.good("enable", "monthly-report")
    plan = ("windows", "add", "--every-cron", "0 0 1 * *", "--for", "20d", "--then", "run")
    tick.good(*plan, "--reason", "month's end")
    (row,) = tick.json("windows", "list")
    assert row["then"] == "run"
    (first,) = tick.json("next", "-n", "1")
    assert first["fires"] is True
    assert first["held_until"][8:10] == "21"
    assert "HELD UNTIL" in tick.good("next", "-n", "1")
