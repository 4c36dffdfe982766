"""`tick stats`."""

from tests.cli.conftest import CommandLine


def test_it_shows_how_often_things_go_well(tick: CommandLine) -> None:
    tick.good("run", "--group", "reports")
    tick.work()
    shown = tick.good("stats")
    assert "firings" in shown and "JOB" in shown and "SCHEDULE" in shown


def test_its_json_is_that_of_the_api(tick: CommandLine) -> None:
    tick.good("run", "--group", "reports")
    tick.work()
    found = tick.json("stats", "--window", "7d")
    assert len(found["periods"]) == 8
    assert found["runs"]["succeeded"] + found["runs"]["failed"] > 0
    assert "no job 'nothing'" in tick.bad("stats", "--job", "nothing", "--json", status=2)


def test_a_zone_that_does_not_exist_is_refused(tick: CommandLine) -> None:
    assert "unknown time zone" in tick.bad("stats", "--timezone", "Nowhere/Land")


def test_without_history_it_says_so(tick: CommandLine) -> None:
    assert "0 firings" in tick.good("stats")


def test_a_dry_run_of_pruning_says_what_would_go_and_deletes_nothing(tick: CommandLine) -> None:
    tick.good("run", "--group", "reports")
    tick.work()
    assert tick.good("prune", "--dry-run").startswith("Would delete: nothing")
    found = tick.json("prune", "--dry-run")
    assert found["dry_run"] is True
    assert found["rows"]["occurrence"] == 0
