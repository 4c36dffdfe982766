"""The wheel, built from just what the image's build stage copies, is a whole product."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.deploy.recipes import ROOT, copies
from tests.deploy.site import Site

pytestmark = pytest.mark.servers
SERVE = ("-m", "gunicorn", "--config", "gunicorn.conf.py", "webapp.wsgi:app")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `dev.py wheel` builds it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for names, folder in copies(stage=0):
        for name in names:
            copy(ROOT / name, source / folder / ("" if folder.endswith("/") else name))
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target), str(source))
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; what it depends on is this one's."""
    venv = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", str(venv))
    python = venv / "bin" / "python"
    pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    (packages,) = venv.glob("lib/python*/site-packages")
    # A path only: the .pth that links the checkout is not read from there.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture
def installed(empty_site: Site, python: Path) -> Iterator[Site]:
    """A site that finds the installed wheel's programs first."""
    empty_site.environment["PATH"] = f"{python.parent}:{empty_site.environment['PATH']}"
    yield empty_site


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tick", "webapp"}
    assert not [name for name in names if re.search(r"package(-lock)?\.json|node_modules", name)]
    assert {f"tick/_migrations/versions/{path.name}" for path in migrations()} <= {*names}


def test_the_installed_command_finds_its_migrations(installed: Site, python: Path) -> None:
    where = installed.run(str(python), "-c", "import tick; print(tick.__file__)")
    assert where.stdout.startswith(str(python.parent.parent))
    upgraded = installed.run("tick", "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert installed.run("tick", "schedules").returncode == 0


def test_the_installed_console_serves_its_static_files(installed: Site, python: Path) -> None:
    installed.run("tick", "db", "upgrade")
    installed.start(str(python), *SERVE)
    installed.wait_until_ready()
    page = installed.get("/login").body
    files = {*re.findall(r'(?:href|src)="(/static/[^"#?]+)', page)}
    files |= {f"/static/vendor/{path.name}" for path in vendored()}
    assert len(files) > 3
    assert {name: installed.get(name).status for name in files} == dict.fromkeys(files, 200)


def test_a_console_without_its_fetched_files_ends_and_says_how_to_get_them(
    installed: Site, python: Path
) -> None:
    (fetched,) = python.parent.parent.glob("lib/python*/site-packages/webapp/static/vendor")
    away = fetched.rename(fetched.with_name("away"))
    done = installed.run(str(python), *SERVE)
    away.rename(fetched)
    assert done.returncode != 0
    assert "dev.py wheel" in done.stderr and "Traceback" not in done.stderr


def migrations() -> list[Path]:
    """The migrations of the checkout."""
    return [*(ROOT / "migrations" / "versions").glob("*.py")]


def vendored() -> list[Path]:
    """The third-party files that set-up fetched."""
    return [*(ROOT / "webapp" / "static" / "vendor").iterdir()]


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, as the Dockerfile's COPY does."""
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


def pip(*arguments: str) -> None:
    """Run this environment's pip."""
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments)


def run(*command: str) -> None:
    """Run a program; a failure shows what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
