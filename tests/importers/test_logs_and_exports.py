"""What the old system's log shows beside ours; and the way back."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.importers.loading import imported
from tick.define.schedules import Schedule
from tick.importers.entries import ImportRefused
from tick.importers.exports import TARGETS, Exported, Outgoing, export
from tick.importers.old_logs import check, read_log

NOW = datetime(2026, 4, 1, tzinfo=UTC)
SYSLOG = """\
Mar 28 02:30:01 host CRON[71]: (root) CMD (/opt/backup.sh --full)
Mar 29 03:00:01 host CRON[72]: (root) CMD (/opt/backup.sh --full)
2026-03-30T02:30:01.123+02:00 host CRON[73]: (root) CMD (/opt/backup.sh --full)
Mar 30 02:31:01 host CRON[74]: (root) CMD (/opt/other)
Mar 30 02:32:01 host sshd[75]: Accepted
"""


def test_the_log_of_a_cron_shows_what_would_fire_here() -> None:
    found = imported("debian-cron", "30 2 * * * /opt/backup.sh --full\n")
    (checked,) = check(found.carried, read_log(SYSLOG, "Europe/Berlin", NOW))
    assert (checked.both, checked.agrees) == (3, True)


def test_what_only_one_side_has_is_told() -> None:
    found = imported("busybox", "30 2 * * * /opt/backup.sh --full\n")
    (checked,) = check(found.carried, read_log(SYSLOG, "Europe/Berlin", NOW))
    assert [f"{at:%d %H:%M}" for at in checked.only_there] == ["29 01:00"]
    found = imported("debian-cron", "*/30 2 * * * /opt/backup.sh --full\n")
    (checked,) = check(found.carried, read_log(SYSLOG, "Europe/Berlin", NOW))
    assert [f"{at:%d %H:%M}" for at in checked.only_here] == ["30 00:00"]


def test_syslog_without_a_year_is_of_the_last_one() -> None:
    (seen,) = read_log("Dec 31 23:59:01 h CRON[1]: (a) CMD (/opt/a)", "UTC", NOW)
    assert seen.at == datetime(2025, 12, 31, 23, 59, tzinfo=UTC)


def test_events_of_cronjobs_and_the_log_of_beat_are_read() -> None:
    minute = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp() // 60)
    events = {"items": [{"message": f"Created job nightly-report-{minute}"}, {"message": 7}, 3]}
    (seen,) = read_log(json.dumps(events), "UTC", NOW)
    assert (seen.what, seen.at.hour) == ("nightly-report", 1)
    line = "[2026-03-29 03:30:00,003: INFO/MainProcess] Scheduler: Sending due task nightly (a.b)"
    (seen,) = read_log(line, "Europe/Berlin", NOW)
    assert (seen.what, seen.at) == ("nightly", datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
    with pytest.raises(ImportRefused, match="shows nothing that was started"):
        read_log("{", "UTC", NOW)


def exported(target: str, **parts: object) -> Exported:
    schedule = Schedule(id="nightly", name="Nightly", **parts)  # type: ignore[arg-type]
    return export(target, [Outgoing("nightly", schedule.rule(), {"a": "date +%F"})], NOW)


@pytest.mark.parametrize(
    ("target", "source", "cron"),
    [
        ("crontab", "debian-cron", "30 2 1-7 * MON"),
        ("k8s", "kubernetes", "30 2 1-7 * MON"),
        ("systemd", "systemd", "30 2 * * MON-FRI"),
        ("systemd", "systemd", "30 2 * * 1#2"),
        ("systemd", "systemd", "30 2 L * *"),
        ("systemd", "systemd", "30 2 * * L5"),
    ],
)
def test_what_goes_out_comes_back_as_the_same_instants(target: str, source: str, cron: str) -> None:
    found = exported(target, cron=cron, overlap="ALLOW")
    files: str | dict[str, str] = found.text
    if target == "systemd":
        timer, service = found.text.split("# nightly.service\n")
        files = {"nightly.timer": timer, "nightly.service": service}
    back = imported(source, files, "UTC")
    (schedule,) = back.registry.schedules.values()
    there = Schedule(id="x", name="x", cron=cron).rule()
    from tick.policy import instants

    end = NOW + timedelta(days=400)
    assert instants.all_between(schedule.rule(), NOW, end) == instants.all_between(there, NOW, end)
    assert "date +" in back.text


def test_what_is_lost_is_told() -> None:
    lost = exported("k8s", cron="30 2 * * *", timezone="Europe/Berlin", jitter=600.0).lost
    assert any("jitter is lost" in said for said in lost)
    assert any("instants are others there" in said for said in lost)
    for parts in ({"cron": "0 0 L * *"}, {"at": NOW}, {"every": timedelta(minutes=7)}):
        found = exported("crontab", **parts)
        assert found.text == "" and "left out" in found.lost[1]
    assert r"*/15 * * * * date +\%F" in exported("crontab", every=timedelta(minutes=15)).text


def test_a_calendar_has_the_instants() -> None:
    found = exported("ics", cron="0 2 1 * *")
    assert found.text.startswith("BEGIN:VCALENDAR\r\n")
    assert "DTSTART:20260401T020000Z\r\n" in found.text
    assert found.text.count("RDATE:") == 13
    assert TARGETS == ("crontab", "k8s", "systemd", "ics")
