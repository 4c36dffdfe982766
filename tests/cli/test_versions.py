"""`tick versions`: what was in force since when, and what each edit changed."""

from tests.cli.conftest import CommandLine


def test_versions_are_told_newest_first_with_what_each_changed(tick: CommandLine) -> None:
    tick.good("add", "Late fetch", "--cron", "0 23 * * *", "--job", "fetch")
    tick.good("edit", "late-fetch", "--every", "2h")
    said = tick.good("versions", "late-fetch").splitlines()
    assert said[0].startswith("2 since ")
    assert said[0].endswith(": Every 2 hours")
    assert "  when: At 23:00 → Every 2 hours" in said
    assert said[-1].endswith(": At 23:00")
    numbers = [each["number"] for each in tick.json("versions", "late-fetch", "-n", "1")]
    assert numbers == [2]
    older = tick("versions", "late-fetch", "-n", "1")
    assert older.stderr == "Older ones: --before 2\n"
    assert tick.good("versions", "late-fetch", "--before", "2").startswith("1 since ")
    assert "lete-fetch" in tick.bad("versions", "lete-fetch")
