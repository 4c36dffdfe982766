"""The files of deploy/ name what exists, and keep to the rules of a careful installation."""

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.deploy.recipes import (
    DEPLOY,
    ROOT,
    SYSTEMD_PROGRAMS,
    compose,
    copies,
    dockerfile,
    procfile,
    start_commands,
    systemd_units,
)

COMPOSE = (DEPLOY / "compose.yaml").read_text()
README = (DEPLOY / "README.md").read_text()
OURS = {"console", "loop", "worker", "release"}


@pytest.mark.parametrize("command", start_commands(), ids=" ".join)
def test_each_start_command_is_installed(command: tuple[str, ...]) -> None:
    assert shutil.which(command[0], path=str(Path(sys.executable).parent))


@pytest.mark.parametrize("stage", [0, 1])
def test_the_image_copies_what_is_there_and_not_ignored(stage: int) -> None:
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for names, _ in copies(stage):
        for name in names:
            assert (ROOT / name).exists(), name
            assert f"!{name.rstrip('/')}" in allowed, name


def test_the_image_runs_as_an_unprivileged_number() -> None:
    users = [one.value for one in dockerfile() if one.name == "USER"]
    assert users and all(re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user) for user in users)


def test_the_image_installs_only_what_is_locked_or_built_here() -> None:
    steps = " && ".join(one.value for one in dockerfile() if one.name == "RUN").split(" && ")
    installs = [shlex.split(step) for step in steps if "pip" in step and " install " in step]
    assert len(installs) == 2
    for words in installs:
        hashed = {"--require-hashes", "--only-binary"} <= {*words}
        assert hashed or {"--no-index", "--no-deps"} <= {*words}


def test_the_image_has_no_secret_and_no_moving_base() -> None:
    for one in dockerfile():
        assert one.name != "ADD"
        assert not re.search(r"(SECRET|PASSWORD)\w*=", one.value)
    bases = [one.value for one in dockerfile() if one.name == "FROM"]
    assert all(":" in base and "latest" not in base for base in bases)


def test_gunicorn_finds_its_settings_where_the_image_puts_them() -> None:
    assert (["deploy/gunicorn.conf.py"], "./") in [*copies(stage=1)]
    named = json.loads(compose()["console"]["command"])
    assert named[1:3] == ["--config", "gunicorn.conf.py"]
    assert procfile()["web"][2] == "deploy/gunicorn.conf.py"


def test_compose_starts_its_services_and_publishes_only_to_loopback() -> None:
    assert compose().keys() == OURS | {"database"}
    assert re.findall(r"ports: (.*)", COMPOSE) == ['["127.0.0.1:8000:8000"]']


def test_every_compose_service_is_hardened() -> None:
    shared = COMPOSE.partition("\nservices:\n")[0]
    for wall in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"):
        assert wall in shared.partition("x-tick:")[0]
    assert "<<: *hardened" in shared.partition("x-tick:")[2]
    for name, keys in compose().items():
        assert re.search(r"\*tick\b|\*hardened\b", keys["<<"]), name


def test_every_compose_process_of_ours_can_reach_those_whom_it_tells() -> None:
    shared = COMPOSE.partition("x-tick:")[2].partition("\nx-")[0]
    assert "networks: [default, database]" in shared and "tick.env" in shared
    assert {name for name, keys in compose().items() if "networks" in keys} == {"database"}


def test_git_ignores_the_secrets_that_the_readme_has_one_make() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "mkdir -m 700 secrets" in README and "`deploy/tick.env`" in README
    assert {"secrets/", "deploy/tick.env"} <= {*ignored}


def test_compose_takes_its_secrets_from_files() -> None:
    declared = dict(re.findall(r"^  (\w+): \{file: secrets/(\w+)\}$", COMPOSE, re.MULTILINE))
    used = {
        name for found in re.findall(r"secrets: \[(.*)\]", COMPOSE) for name in found.split(", ")
    }
    assert declared.keys() == used
    for variable, value in re.findall(r"^\s+(\w*(?:PASSWORD|SECRET|URL)\w*): (.+)$", COMPOSE, re.M):
        assert variable.endswith("_FILE")
        assert value.removeprefix("/run/secrets/") in declared


def test_every_service_unit_starts_installed_programs_with_hardening() -> None:
    common = (DEPLOY / "systemd" / "tick-.service.d" / "common.conf").read_text()
    for wall in ("User=tick", "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes"):
        assert wall in common.splitlines()
    for name, unit in systemd_units().items():
        if name.endswith(".service"):
            assert unit["Service"]["ExecStart"].startswith(SYSTEMD_PROGRAMS), name


def test_units_name_one_another_rightly() -> None:
    units = systemd_units()
    assert "tick-now.service" in units
    assert units["tick-now.timer"]["Timer"]["OnCalendar"] == "*:*:00"
    for unit in units.values():
        names = f"{unit['Unit'].get('Wants', '')} {unit['Unit'].get('After', '')}".split()
        assert {name for name in names if name.startswith("tick-")} <= units.keys()


def test_systemd_itself_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd on this machine")
    shutil.copytree(DEPLOY / "systemd", tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*.service"):
        programs = f"{Path(sys.executable).parent}/"
        path.write_text(path.read_text().replace(SYSTEMD_PROGRAMS, programs))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.glob("tick-*.*e*r"))],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_knows_every_platform_and_test() -> None:
    for path in (path for path in DEPLOY.iterdir() if path.name not in ("README.md", "locks")):
        shown = path.name in README or path.suffix == ".dockerignore"
        assert shown, path.name
    for name in re.findall(r"`(test_\w+\.py)`", README):
        assert (Path(__file__).parent / name).exists(), name


def test_the_backup_of_the_readme_holds_what_is_still_in_the_wal(tmp_path: Path) -> None:
    (command,) = re.findall(r"^\$ (python3 -c .*VACUUM.*)$", README, re.MULTILINE)
    with closing(sqlite3.connect(tmp_path / "tick.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript("CREATE TABLE kept (word); INSERT INTO kept VALUES ('yes');")
        program, *arguments = shlex.split(command)
        assert program == "python3"
        subprocess.run([sys.executable, *arguments], cwd=tmp_path, check=True)
    with closing(sqlite3.connect(tmp_path / "backup.db")) as copy:
        assert copy.execute("SELECT word FROM kept").fetchall() == [("yes",)]
