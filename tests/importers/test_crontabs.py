"""Crontabs of three daemons: what is carried over, what is lost, and what never ran."""

from pathlib import Path

import pytest

from tests.importers.loading import imported
from tick import days, months
from tick.importers.entries import ImportRefused
from tick.importers.report import counts
from tick.states import OverlapPolicy

LINE = "30 2 * * * /opt/backup.sh --full\n"


def test_a_line_becomes_a_command_and_a_schedule() -> None:
    found = imported("debian-cron", f"# nightly\nPATH=/usr/bin\n{LINE}")
    schedule, job = found.schedule("backup"), found.registry.jobs["backup"]
    assert (schedule.cron, schedule.timezone) == ("30 2 * * *", "Europe/Berlin")
    assert schedule.overlap == OverlapPolicy.ALLOW
    assert job.description == "/opt/backup.sh --full"
    assert "# line 3: 30 2 * * * /opt/backup.sh --full" in found.text
    assert 'env={"PATH": "/usr/bin"}' in found.text


def test_the_zone_of_the_machine_is_asked_for() -> None:
    with pytest.raises(ImportRefused, match="--tz ZONE"):
        imported("debian-cron", LINE, None)


def test_a_wrong_line_disables_the_whole_file_of_debian_but_not_of_cronie() -> None:
    text = f"{LINE}5/15 * * * * /opt/poll\n"
    debian = imported("debian-cron", text)
    assert debian.says(1, "never ran", "line 2 disabled the whole file", "5-59/15")
    assert not imported("cronie", text).says(1, "never ran")
    assert imported("cronie", text).says(2, "never ran", "cronie refuses minute '5/15'")


def test_a_last_line_without_a_newline_is_lost_with_its_file_or_alone() -> None:
    text = f"{LINE}0 5 * * * /opt/last"
    assert imported("debian-cron", text).says(1, "no newline ends its last line")
    cronie = imported("cronie", text)
    assert cronie.says(2, "no newline ends this last line")
    assert not cronie.says(1, "never ran")
    assert not imported("busybox", text).says(2, "never ran")


def test_a_range_that_runs_backwards_never_ran_and_the_right_one_is_named() -> None:
    found = imported("debian-cron", "0 22-2 * * * /opt/night\n")
    assert found.says(1, "never ran", "22-23,0-2")
    assert not found.registry.schedules


def test_what_follows_a_percent_sign_is_standard_input() -> None:
    found = imported("debian-cron", r"0 1 * * * date +\%F; cat%one%it's" + "\n")
    assert found.says(1, "changed", "standard input")
    assert "printf '%s' 'one\\nit'\\\"'\\\"'s\\n' | { date +%F; cat\\n}" in found.text
    assert "{ date +%F" not in imported("busybox", "0 1 * * * date +%F\n").text


def test_what_surrounds_a_command_is_told() -> None:
    text = "SHELL=/bin/bash\nMAILTO=ops@example.com\nDB_PASSWORD=geheim\nHOME=/srv\n"
    found = imported(
        "cronie", f"{text}0 1 * * * app /opt/report\n@reboot app /opt/boot\n", system=True
    )
    assert found.says(5, "cannot be", "runs as app", 'queue="app"')
    assert found.says(5, "cannot be", "MAILTO=ops@example.com", "TICK_ALERT_URLS")
    assert found.says(5, "changed", "DB_PASSWORD", "give workers the variable")
    assert found.says(6, "cannot be", "@reboot", "tick run --job boot")
    assert "geheim" not in found.text
    assert '["/bin/bash", "-c", "/opt/report"]' in found.text
    assert 'cwd="/srv"' in found.text
    assert found.registry.jobs.keys() == {"report", "boot"}
    assert found.registry.schedules.keys() == {"report"}


def test_cron_tz_is_followed_by_cronie_alone() -> None:
    text = "CRON_TZ=America/New_York\n30 2 * * * /opt/a\n"
    cronie = imported("cronie", text).schedule("a")
    assert (cronie.timezone, cronie.dst_gap, cronie.dst_fold) == ("America/New_York", "skip", None)
    debian = imported("debian-cron", text)
    assert debian.schedule("a").timezone == "Europe/Berlin"
    assert debian.says(2, "no more than a variable")


def test_busybox_reads_its_own_way() -> None:
    found = imported("busybox", "LANG=C\n0 3 */2 * * /opt/a\n0 0 * * 7 /opt/b\n")
    assert found.schedule("a").cron == "0 3 2-30/2 * *"
    assert found.schedule("a").overlap == OverlapPolicy.SKIP
    assert found.says(2, "LANG", "sets no such variable")
    assert found.says(3, "never ran", "busybox-crond refuses weekday '7'")


def test_a_drawn_minute_becomes_a_slot_of_its_own() -> None:
    found = imported("cronie", "0~30 4 * * * /opt/a\n~ * * * * /opt/b\n")
    assert found.schedule("a").cron == "H(0-30) 4 * * *"
    assert found.schedule("b").cron == "H * * * *"
    assert found.says(1, "changed", "minute 0-30")
    assert imported("debian-cron", "0~30 4 * * * /opt/a\n").schedule("a").cron == "0 4 * * *"


def test_words_in_capitals_are_none_to_cron() -> None:
    found = imported("cronie", "@DAILY /opt/a\n@daily /opt/b\n")
    assert found.says(1, "never ran", "in lower case only")
    assert [*found.registry.schedules] == ["b"]


def test_names_with_dots_in_cron_d_are_never_read_by_debian() -> None:
    found = imported("debian-cron", "0 1 * * * root /opt/a\n", system=True, name="/etc/cron.d/a.sh")
    assert found.says(1, "never ran", "reads no file", "a.sh")


def test_names_are_told_apart_and_say_what_runs() -> None:
    text = (
        "0 1 * * * cd /srv && flock -n /tmp/l /usr/bin/python3 /srv/sync.py\n"
        "0 2 * * * X=1 /srv/sync.py\n"
        "0 3 * * * [ -x /opt/ClearAll ] && /opt/ClearAll\n"
    )
    assert [*imported("cronie", text).registry.jobs] == ["sync", "sync-2", "clear-all"]


def test_nothing_that_is_read_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    text = f"0 1 * * * touch {marker}; $(touch {marker}) `touch {marker}`\n"
    for source in ("debian-cron", "cronie", "busybox", "systemd-cron"):
        assert imported(source, text).registry.jobs
    assert not marker.exists()


def test_what_an_editor_would_not_show_is_written_out() -> None:
    found = imported("cronie", "0 1 * * * echo '\u202e\x07\u2028' # \u202e\n")
    assert found.registry.jobs
    assert not set("\u202e\x07\u2028") & set(found.text)


def test_a_plain_table_is_carried_over_without_a_difference() -> None:
    found = imported("cronie", "*/5 * * * * /opt/a\n15 3 * * mon-fri /opt/b\n@daily /opt/c\n")
    number = counts(found.carried)
    assert (number["entries"], number["carried"], number["differing"]) == (3, 3, 0)


def test_systemd_cron_has_weekdays_and_months_of_its_own() -> None:
    text = "0 3 * nov 5-7 /opt/a\n@weekly /opt/w\n0 0 1-7 * 1 /opt/m\n0 0 * oct * /opt/o\n"
    found = imported("systemd-cron", text)
    assert found.schedule("a").cron == "0 3 * 10 *"
    assert found.says(1, "no October") and found.says(1, "ran on every day")
    assert (found.schedule("w").cron, found.schedule("w").missed) == ("0 0 * * 1", "CATCH_UP")
    assert found.schedule("m").cron == "0 0 * * 1#1"
    assert found.says(4, "never ran", "garbled")


def test_anacron_becomes_steps_that_are_caught_up() -> None:
    lines = "1 5 cron.daily run-parts /etc/cron.daily\n@monthly 45 m /opt/m\nx\n"
    text = f"START_HOURS_RANGE=3-22\n{lines}"
    found = imported("anacron", text)
    steps = [each.every for each in found.registry.schedules.values()]
    assert steps == [days(1, at="03:05"), months(1, at="03:45")]
    assert found.schedule("cron-daily").missed == "CATCH_UP"
    assert found.says(4, "never ran")
