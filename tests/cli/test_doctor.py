"""`tick doctor`: each thing that may be wrong is found, and said with what to do about it."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.cli.conftest import CommandLine
from tests.support.zones import fixed
from tick import current_run
from tick.cli import doctor_checks as checks
from tick.cli.doctor_checks import CheckResult, Level
from tick.engine.runs.heartbeat import register_worker
from tick.job_types.command import _facts
from tick.ops.reports.deploy_plan import Plan
from tick.settings import Settings
from tick.states import WorkerType
from tick.store.tables import tick_log, worker_instance
from tick.zone_sources import Source

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STRONG = "kV3v8w0mJcQeT5yLr9Zb2XhNf7GdUaPs"
OTHER = "pW4n1x6bHtRfY8uKs0Vc3ZjMg5EeTiOd"
NOTHING = Plan(
    changes_nothing=True, changes=(), fires=(), clock_changes=(), collisions=(), drift=()
)


def found(tick: CommandLine, **environment: str) -> dict[str, str]:
    """The gravest level of each check."""
    result = tick("doctor", "--json", **environment)
    levels: dict[str, str] = {}
    for finding in json.loads(result.stdout):
        if levels.get(finding["check"]) != "problem":
            levels[finding["check"]] = finding["level"]
        assert (finding["advice"] is None) is (finding["level"] == "good")
    assert result.exit_code == ("problem" in levels.values())
    return levels


def work_and_tick(tick: CommandLine) -> None:
    tick.good("now")
    now = datetime.now(UTC)
    with tick.database.write.begin() as connection:
        register_worker(connection, worker_type=WorkerType.JOB_WORKER, now=now, abilities={})


def test_a_good_installation_has_no_problem(tick: CommandLine) -> None:
    work_and_tick(tick)
    settings = {
        "TICK_SECRET_KEY": STRONG,
        "TICK_TRIGGER_SECRET": OTHER,
        "TICK_ALERT_URLS": "mailto://ops@example.com",
    }
    levels = found(tick, **settings)
    judged_here = {"sqlite", "disk", "files", "time zones"}  # depends on this machine
    assert {level for check, level in levels.items() if check not in judged_here} == {"good"}
    assert levels.keys() >= {
        *("settings", "secrets", "definitions", "database", "clocks", "ticks", "workers"),
    }


def test_a_problem_is_told_with_what_to_do(tick: CommandLine) -> None:
    result = tick("doctor", TICK_SECRET_KEY=STRONG)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    ticks = lines.index("✗ ticks:       Nothing has ever ticked.")
    assert "→ See that the trigger runs" in lines[ticks + 1]
    assert any(line.startswith("! workers:     No worker lives") for line in lines)


def test_late_ticks_are_a_problem(tick: CommandLine) -> None:
    work_and_tick(tick)
    with tick.database.write.begin() as connection:
        long_ago = datetime.now(UTC) - timedelta(hours=3)
        connection.execute(sa.update(tick_log).values(started_at=long_ago))
    assert found(tick)["ticks"] == "problem"


def test_runs_that_nobody_works_on_are_a_problem(tick: CommandLine) -> None:
    tick.good("run", "--all")
    assert found(tick)["workers"] == "problem"


def test_a_worker_of_another_version_is_noticed(tick: CommandLine) -> None:
    work_and_tick(tick)
    with tick.database.write.begin() as connection:
        connection.execute(sa.update(worker_instance).values(version="0.0.1"))
    assert "0.0.1" in tick("doctor").stdout


def test_a_region_without_known_holidays_is_noticed(tick: CommandLine) -> None:
    assert found(tick, TICK_HOLIDAYS="DE-BY,XX")["holidays"] == "warning"


def test_definitions_that_are_not_synced_are_noticed(unsynced: CommandLine) -> None:
    assert found(unsynced)["definitions"] == "warning"


def test_wrong_settings_end_the_examination(tick: CommandLine) -> None:
    assert found(tick, TICK_KEEP_DAYS="0") == {"settings": "problem"}


def test_broken_definitions_do_not(tick: CommandLine) -> None:
    levels = found(tick, TICK_DEFINITIONS="tests.cli.mistaken")
    assert levels["definitions"] == "problem"
    assert levels["database"] == "good"


def test_a_database_that_is_away_or_empty_is_a_problem(tick: CommandLine, tmp_path: Path) -> None:
    away = "postgresql://tick:hush-hush@127.0.0.1:1/tick"
    assert found(tick, TICK_DATABASE_URL=away)["database"] == "problem"
    assert "hush-hush" not in tick("doctor", TICK_DATABASE_URL=away).output
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    assert "`tick db upgrade`" in tick("doctor", TICK_DATABASE_URL=empty).stdout


def test_no_secret_is_repeated(tick: CommandLine) -> None:
    said = tick("doctor", TICK_SECRET_KEY="hush-hush-hush-hush").output
    assert "TICK_SECRET_KEY is short or repeats itself" in said
    assert "hush" not in said


def test_a_variable_that_nothing_reads_is_named_with_what_was_meant() -> None:
    variables = ("PATH", "TICK_SECRET_KEY_FILE", "TICK_URL", "TICK_ALERT_URL")
    (found,) = checks.check_names(variables)
    assert (found.level, found.text) == (Level.WARNING, "Nothing reads TICK_ALERT_URL.")
    assert found.advice == "Did you mean TICK_ALERT_URLS?"


def test_service_variables_of_kubernetes_are_no_misspelt_settings() -> None:
    tick = ("TICK_SERVICE_HOST", "TICK_SERVICE_PORT", "TICK_PORT", "TICK_PORT_8000_TCP_ADDR")
    web = ("TICK_WEB_SERVICE_HOST", "TICK_WEB_SERVICE_PORT_HTTP", "TICK_WEB_PORT")
    assert list(checks.check_names((*tick, *web))) == []
    (found,) = checks.check_names((*web, "TICK_PORT"))
    assert found.text == "Nothing reads TICK_PORT."


def test_variables_given_to_a_job_are_no_misspelt_settings() -> None:
    assert list(checks.check_names(_facts(current_run()))) == []


@pytest.mark.parametrize(
    ("secrets", "levels"),
    [
        ({}, ["warning"]),
        ({"secret_key": STRONG}, ["good"]),
        ({"secret_key": "a" * 40}, ["warning"]),
        ({"secret_key": STRONG, "trigger_secret": STRONG[:20]}, ["warning"]),
        ({"secret_key": STRONG, "trigger_secret": STRONG}, ["problem"]),
        ({"secret_key": STRONG, "trigger_secret": OTHER}, ["good"]),
    ],
)
def test_secrets_are_long_varied_and_not_shared(secrets: dict[str, str], levels: list[str]) -> None:
    settings = Settings(**{name: SecretStr(value) for name, value in secrets.items()})  # type: ignore[arg-type]
    assert [finding.level for finding in checks.check_secrets(settings)] == levels


def test_files_that_everybody_may_read_are_named(tmp_path: Path) -> None:
    secret, database = tmp_path / "secret", tmp_path / "tick.db"
    for path in (secret, database):
        path.touch(mode=0o600)
    files = {"TICK_SECRET_KEY_FILE": secret}
    assert list(checks.check_files(files, database)) == []
    secret.chmod(0o644)
    (finding,) = checks.check_files(files, database)
    assert finding.level is Level.WARNING
    assert finding.advice == f"chmod o= {secret}"


@pytest.mark.parametrize("closed", ["the folder", "the file"])
def test_what_has_to_be_written_and_may_not_be_is_named(
    tmp_path: Path, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "tick.db"
    database.touch(mode=0o600)
    path = tmp_path if closed == "the folder" else database
    monkeypatch.setattr(checks.os, "access", lambda asked, _: asked != path)
    (finding,) = checks.check_files({}, database)
    assert finding.level is Level.PROBLEM
    assert finding.text == f"{path} can't be written to."


def disk(free_mib: int) -> CheckResult:
    return checks.check_disk(Path("/"), lambda _: SimpleNamespace(free=free_mib * 1024**2))


def zones(version: str | None) -> CheckResult:
    source = Source("/usr/share/zoneinfo", version, lambda _: None)
    (finding,) = checks.check_zones(source, [source], {}, NOW)
    return finding


def test_older_zone_data_on_a_host_are_named_with_the_schedules_concerned() -> None:
    vancouver, berlin = "America/Vancouver", "Europe/Berlin"
    old = {vancouver: fixed(-8), berlin: fixed(1)}
    system = Source("/usr/share/zoneinfo", "2025b", old.get)
    package = Source("the tzdata package", "2026f", {**old, vancouver: fixed(-7)}.get)
    schedules = {"west": vancouver, "east": berlin}
    used, other = checks.check_zones(package, [system, package], schedules, NOW)
    assert used.text == "Time zone data 2026f, from the tzdata package."
    assert (used.level, other.level) == (Level.GOOD, Level.WARNING)
    assert "/usr/share/zoneinfo holds 2025b" in other.text
    assert other.text.endswith("schedules that differ: west.")
    assert "PYTHONTZPATH=" in (other.advice or "")


def test_a_choice_of_older_zone_data_is_named_with_the_way_back() -> None:
    system = Source("/usr/share/zoneinfo", "2025b", {"America/Vancouver": fixed(-8)}.get)
    package = Source("the tzdata package", "2026f", {"America/Vancouver": fixed(-7)}.get)
    schedules = {"west": "America/Vancouver"}
    _, other = checks.check_zones(system, [system, package], schedules, NOW)
    assert other.level is Level.WARNING
    assert other.text == "the tzdata package holds 2026f, too; schedules that differ: west."
    assert (other.advice or "").startswith("TICK_ZONE_DATA chooses the older data")


def test_newer_data_in_force_than_this_host_has_are_a_problem() -> None:
    assert list(checks.check_zone_data_in_force({})) == []
    (finding,) = checks.check_zone_data_in_force({"America/Vancouver": "2026f"})
    assert finding.level is Level.PROBLEM
    assert "--accept-older-zone-data" in finding.text


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (disk(5000), Level.GOOD),
        (disk(500), Level.WARNING),
        (disk(50), Level.PROBLEM),
        (checks.check_sqlite((3, 51, 3)), Level.GOOD),
        (checks.check_sqlite((3, 40, 1)), Level.WARNING),
        (checks.check_clocks(timedelta(seconds=-1)), Level.GOOD),
        (checks.check_clocks(timedelta(seconds=-5)), Level.WARNING),
        (checks.check_clocks(timedelta(seconds=90)), Level.PROBLEM),
        (zones("2025b"), Level.GOOD),
        (zones("2022a"), Level.WARNING),
        (zones(None), Level.WARNING),
        (checks.check_synced(NOTHING), Level.GOOD),
    ],
)
def test_what_is_judged_by_a_number(finding: CheckResult, level: Level) -> None:
    assert finding.level is level


def test_a_channel_without_its_library_is_named_by_doctor_and_at_start(
    tick: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    mail = {"TICK_ALERT_URLS": "mailto://ops@example.com"}
    assert found(tick, **mail)["alerts"] == "problem"
    for command in ("up", "loop", "worker"):
        said = tick.bad(command, **mail)
        assert said.count("\n") == 1
        assert "job-schedule-manager[alerts]" in said


def test_a_module_that_does_not_import_keeps_no_tick_from_deciding(
    tick: CommandLine, caplog: pytest.LogCaptureFixture
) -> None:
    tick.good("enable", "launch", "--catch-up")
    before = tick.rows(sa.select(tick_log))
    said = tick.good("now", TICK_DEFINITIONS="tests.cli.mistaken")
    assert "launch" in said
    assert "mistaken.py:" in caplog.text
    assert len(tick.rows(sa.select(tick_log))) == len(before) + 1
    assert "mistake" in tick.bad("sync", TICK_DEFINITIONS="tests.cli.mistaken")


def test_a_folder_that_may_not_be_entered_does_not_end_the_examination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(checks.os, "stat", forbidden)
    assert list(checks.check_files({}, tmp_path / "closed" / "tick.db")) == []
