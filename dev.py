#!/usr/bin/env python3
"""Sets this project up, runs it, tests it and checks it, with Python alone.

Try `python3 dev.py --help`. Standard library only: whatever else a command needs is installed
under .venv/ from the hashed lock files in deploy/locks/, or under a node_modules/ from its
package-lock.json, and is installed again only when the lock file has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = ROOT / "deploy" / "locks"
CONSOLE = ROOT / "webapp"
VENDOR = CONSOLE / "static" / "vendor"
TEST_BROWSER = ROOT / "tests" / "browser"

LOCKED = {  # name of the lock file: what `uv pip compile` makes it from
    "runtime": (
        "pyproject.toml",
        "--extra=alerts",
        "--extra=holidays",
        "--extra=oidc",
        "--extra=postgres",
        "--extra=sample",
        "--extra=yaml",
    ),
    "build": ("--group", "build"),
    "test": ("pyproject.toml", "--all-extras", "--group", "test"),
    "bench": ("--group", "bench"),
    "node": ("--group", "node"),
    "lock": ("--group", "lock"),
}
CHECKS = {
    "format": ("ruff", "format", "--check", "."),
    "lint": ("ruff", "check", "."),
    "types": ("mypy", "--strict", "-p", "tick", "-p", "webapp"),
    "imports": ("lint-imports",),
    "security": (
        *("bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive"),
        *("tick", "webapp", "definitions", "migrations", "dev.py"),
    ),
    "docstrings": ("interrogate", "tick", "webapp", "definitions", "dev.py"),
}
AT_ONCE = min(4, os.cpu_count() or 1)  # files of tests at a time
SLOW_MARKS = "postgres or browser or servers or soak"
CAPTURED: dict[str, Any] = {  # how to start a program whose output is shown later, if at all
    "text": True,
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
}


class Failure(Exception):
    """A step could not be done; the message says why and what to do next."""


# The commands


def up(args: argparse.Namespace, _extra: list[str]) -> None:
    """Installs everything, makes the sample community, fires a schedule once, then serves."""
    prepare("runtime", "build")
    if (ROOT / "definitions" / "community").is_dir():
        print("Making the sample community, unless it is there …", flush=True)
        quietly(PYTHON, "-m", "definitions.community", hint="See definitions/README.md.")
    start_product(args)


def start_product(args: argparse.Namespace) -> NoReturn:
    """Watch the first run, then hand over to the product, which serves until Ctrl-C."""
    os.environ.update(local_settings() | os.environ)
    tick = VENV / "bin" / "tick"
    if args.once:
        hand_over(tick, "first-run", args.schedule)
    subprocess.run([tick, "first-run", args.schedule], cwd=ROOT, check=False)
    hand_over(tick, "up", "--host", args.host, "--port", str(args.port))


def local_settings() -> dict[str, str]:
    """Settings for this machine alone: a secret key of its own, cookies over plain http."""
    key = ROOT / "var" / "secret_key"
    if not key.exists():
        key.parent.mkdir(exist_ok=True)
        key.touch(mode=0o600)
        key.write_text(secrets.token_urlsafe(32))
    return {"TICK_SECRET_KEY_FILE": str(key), "TICK_COOKIE_SECURE": "false"}


def test(args: argparse.Namespace, extra: list[str]) -> None:
    """Runs the whole suite, on SQLite, PostgreSQL and in a browser; passes arguments to pytest."""
    prepare("runtime", "build", "test")
    if args.fast:
        run_pytest(f"not ({SLOW_MARKS})", extra, AT_ONCE)
    prepare_servers()
    run_pytest("not soak", extra, AT_ONCE)


def soak(_args: argparse.Namespace, extra: list[str]) -> None:
    """Runs the tests that take minutes to hours; passes arguments to pytest."""
    prepare("runtime", "build", "test")
    prepare_servers()
    run_pytest("soak", extra)


def bench(_args: argparse.Namespace, extra: list[str]) -> None:
    """Measures the hot paths beside hand-made SQL and others; passes arguments (--json) on."""
    prepare("runtime", "build", "test", "bench")
    hand_over(PYTHON, "-m", "tests.bench", *extra)


def check(_args: argparse.Namespace, _extra: list[str]) -> None:
    """Checks format, lint, types, import contracts, security and docstrings, all at once."""
    prepare("runtime", "build", "test")
    running = {
        name: subprocess.Popen([VENV / "bin" / program, *options], cwd=ROOT, **CAPTURED)
        for name, (program, *options) in CHECKS.items()
    }
    failed = [name for name, process in running.items() if not passes(name, process)]
    if failed:
        raise Failure(f"Not clean: {', '.join(failed)}. `.venv/bin/ruff format .` repairs format.")


def audit(_args: argparse.Namespace, _extra: list[str]) -> None:
    """Asks the advisory database of Python packages about what is pinned; needs the network."""
    prepare("runtime", "build", "test")
    packages = [package for name in ("runtime", "build", "test") for package in advisories(name)]
    bad = [package for package in packages if package.get("vulns")]
    unknown = sum("skip_reason" in package for package in packages)
    for package in bad:
        names = ", ".join(weakness["id"] for weakness in package["vulns"])
        print(f"{package['name']} {package['version']}: {names}")
    if bad:
        raise Failure("Raise these versions: `python3 dev.py lock --upgrade`, then `dev.py test`.")
    if unknown or not packages:
        raise Failure(
            f"NOT CHECKED: {unknown or 'all'} packages. The advisory database gave no answer: a "
            "mirror of the package index may have none. Run it where pip reaches PyPI itself."
        )
    print(f"No advisory speaks of any of the {len(packages)} pinned packages.")


def advisories(name: str) -> list[dict[str, Any]]:
    """What is known of the packages of one lock file; none if nobody could be asked."""
    options = ("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off")
    command = (VENV / "bin" / "pip-audit", "--requirement", LOCKS / f"{name}.txt", *options)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        print(f"{name}.txt: {(done.stderr.strip().splitlines() or ['no answer'])[-1]}")
        return []
    return found


def screenshots(_args: argparse.Namespace, _extra: list[str]) -> None:
    """Takes the README's pictures of the console anew."""
    prepare("runtime", "build", "test")
    prepare_servers()
    hand_over(PYTHON, "-m", "tests.browser.screenshots")


def lock(args: argparse.Namespace, _extra: list[str]) -> None:
    """Makes the lock files again, after a change of pyproject.toml or of a package.json."""
    make_venv()
    install("lock")
    for name in LOCKED:
        compile_lock(name, upgrade=args.upgrade)
    for folder in (CONSOLE, TEST_BROWSER):
        run_npm(folder, "install", "--package-lock-only", "--omit-lockfile-registry-resolved")


def wheel(_args: argparse.Namespace, _extra: list[str]) -> None:
    """Builds the wheel, with the console's third-party files in it, into dist/."""
    prepare("build")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", ".")
    print("The wheel is in dist/.")


# Setting up: each step is skipped while its inputs are what they were


def prepare(*locked: str) -> None:
    """Bring the environment, the project's editable install and the console's files up to date."""
    make_venv()
    install(*locked)
    link = partial(pip, "install", "--no-deps", "--no-build-isolation", "--editable", ".")
    once("editable", "Linking the project", [ROOT / "pyproject.toml"], link)
    manifests = [CONSOLE / "package.json", CONSOLE / "package-lock.json"]
    once("console", "Fetching the console's files", manifests, fetch_console_files, makes=VENDOR)


def prepare_servers() -> None:
    """Bring what the slow tests need: node, and a browser unless the machine has one."""
    from tests.support.browser import installed_browser

    install("node")
    if installed_browser() is None:
        manifests = [TEST_BROWSER / "package.json", TEST_BROWSER / "package-lock.json"]
        modules = TEST_BROWSER / "node_modules"
        once("browser", "Fetching a browser", manifests, partial(npm_ci, TEST_BROWSER), modules)


def once(
    name: str, title: str, inputs: Sequence[Path], act: Callable[[], None], makes: Path = VENV
) -> None:
    """Do a step, unless `makes` is there and the step was last done with the same inputs."""
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in inputs)).hexdigest()
    stamp = VENV / "stamps" / name
    if makes.exists() and stamp.is_file() and stamp.read_text() == digest:
        return
    print(f"{title} …", flush=True)
    act()
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(digest)


def make_venv() -> None:
    """Make .venv, unless there is one that works."""
    has_pip = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)"
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", has_pip], check=False).returncode == 0:
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Failure(
            "This Python can't make virtual environments. Install its venv and pip packages "
            "(Debian, Ubuntu: apt install python3-venv python3-pip), then try again."
        )
    print("Making .venv …", flush=True)
    quietly(sys.executable, "-m", "venv", "--clear", VENV, hint="Remove .venv, then try again.")


def install(*locked: str) -> None:
    """Install the named lock files: exactly these versions, only files with these hashes."""
    for name in locked:
        path = LOCKS / f"{name}.txt"
        count = len(re.findall(r"^[a-z]", path.read_text(), re.MULTILINE))
        options = ("--require-hashes", "--only-binary", ":all:", "--requirement", str(path))
        act = partial(pip, "install", *options)
        once(name, f"Installing {name}.txt, {count} pinned", [path], act)


def fetch_console_files() -> None:
    """Fill static/vendor/ from npm with what webapp/package.json names."""
    npm_ci(CONSOLE)
    manifest = json.loads((CONSOLE / "package.json").read_text())
    modules = CONSOLE / "node_modules"
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name, source in manifest["vendor"].items():
        shutil.copyfile(modules / source, VENDOR / name)
    sheet = (modules / "bootstrap-icons" / "bootstrap-icons.svg").read_text()
    (VENDOR / "icons.svg").write_text(sprite(sheet, manifest["icons"]))


def sprite(sheet: str, names: Sequence[str]) -> str:
    """The sheet of symbols, cut down to the named ones."""
    found = re.finditer(r'<symbol [^>]*id="([^"]+)">.*?</symbol>', sheet, re.DOTALL)
    symbols = {symbol[1]: symbol[0] for symbol in found}
    if unknown := sorted(set(names) - symbols.keys()):
        raise Failure(f"webapp/package.json: bootstrap-icons has no icon {', '.join(unknown)}.")
    credit = "<!-- Bootstrap Icons, (c) The Bootstrap Authors, MIT licence -->"
    body = "\n".join(symbols[name] for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{credit}\n{body}\n</svg>\n'


# Running programs


def hand_over(*command: str | Path) -> NoReturn:
    """Become another program: its exit status and the terminal's signals need no relay."""
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(command[0], [*map(str, command)])


def run_pytest(marks: str, extra: list[str], processes: int = 0) -> NoReturn:
    """Become pytest; a later -m or -n among the extra arguments overrides those of ours."""
    # The tests start hundreds of interpreters: none should compile what another one has compiled.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # The files that take longest come first (tests/support/plugin.py), not those of most tests.
    at_once = ("-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder")
    hand_over(PYTHON, "-m", "pytest", "-m", marks, *at_once, *extra)


def pip(*arguments: str) -> None:
    """Run the environment's pip, with the machine's own settings."""
    hint = "If it is the network, see `.venv/bin/pip config list`. Then run the same command again."
    quietly(PYTHON, "-m", "pip", "--disable-pip-version-check", *arguments, hint=hint)


def npm_ci(folder: Path) -> None:
    """Install exactly what the folder's package-lock.json says."""
    run_npm(folder, "ci", "--omit=peer")


def run_npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder, without the packages' own install scripts."""
    hint = "If it is the network, see `npm config list`. Then run the same command again."
    options = ("--ignore-scripts", "--no-audit", "--no-fund")
    quietly(find_npm(), *arguments, *options, cwd=folder, hint=hint)


def find_npm() -> str:
    """The machine's npm if its node is 18 or later, else the one of the node lock file."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        found = re.match(r"v(\d+)\.", version.stdout)
        if found and int(found[1]) >= 18:
            return npm
    install("node")
    return str(VENV / "bin" / "npm")


def quietly(*command: str | Path, hint: str, cwd: Path = ROOT) -> None:
    """Run a program; show what it printed only if it fails, and then what to do about it."""
    done = subprocess.run(command, cwd=cwd, check=False, **CAPTURED)
    if done.returncode:
        words = " ".join(map(str, command))
        raise Failure(f"\n{done.stdout.rstrip()}\n\nThis failed: {words}\n{hint}")


def passes(name: str, process: subprocess.Popen[str]) -> bool:
    """Wait for a check and print its line, with its findings if it has any."""
    output, _ = process.communicate()
    print(f"{'✗' if process.returncode else '✓'} {name}", flush=True)
    if process.returncode:
        print(output.rstrip(), flush=True)
    return not process.returncode


def compile_lock(name: str, upgrade: bool) -> None:
    """Write one lock file: hashed, for every platform, without addresses.

    It agrees with those before it in LOCKED, since they are installed side by side.
    """
    path = LOCKS / f"{name}.txt"
    print(f"Locking {path.relative_to(ROOT)} …", flush=True)
    options = ["--universal", "--python-version", "3.11", "--generate-hashes"]
    options += ["--only-binary", ":all:", "--custom-compile-command", "python3 dev.py lock"]
    options += ["--output-file", str(path), *(["--upgrade"] if upgrade else [])]
    for earlier in takewhile(lambda other: other != name, LOCKED):
        options += ["--constraint", str(LOCKS / f"{earlier}.txt")]
    hint = "Repair pyproject.toml, then run the same command again."
    quietly(VENV / "bin" / "uv", "pip", "compile", *LOCKED[name], *options, hint=hint)
    if "://" in path.read_text():
        raise Failure(f"{path} names an address: take it out of pyproject.toml, lock again.")


# The command line


def parser() -> argparse.ArgumentParser:
    """One subcommand per function above, with its docstring as the help."""
    whole = argparse.ArgumentParser(prog="dev.py", description=__doc__.splitlines()[0])
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    takes_more = {test, soak, bench}
    added = {}
    for function in (up, test, check, audit, bench, soak, screenshots, lock, wheel):
        added[function] = commands.add_parser(
            function.__name__,
            help=function.__doc__,
            description=function.__doc__,
            allow_abbrev=False,  # what is not ours goes to pytest as it was typed
        )
        added[function].set_defaults(act=function, takes_more=function in takes_more)
    added[up].add_argument("--once", action="store_true", help="end after the first run")
    added[up].add_argument(
        "--schedule", default="daily-full-sync", help="which to fire once (%(default)s)"
    )
    added[up].add_argument("--host", default="127.0.0.1", help="where to serve (%(default)s)")
    added[up].add_argument("--port", type=int, default=8000, help="and its port (%(default)s)")
    added[test].add_argument("--fast", action="store_true", help="leave the real servers out")
    added[lock].add_argument("--upgrade", action="store_true", help="take the newest versions")
    return whole


def main() -> int:
    """Run the command that was asked for; 1 if a step failed."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python gets this far, and this answer
        print("dev.py needs Python 3.11 or later; try python3.11 dev.py", file=sys.stderr)
        return 1
    sys.stdout.reconfigure(errors="replace")
    args, extra = parser().parse_known_args()
    if extra and not args.takes_more:
        parser().error(f"unknown arguments: {' '.join(extra)}")
    try:
        args.act(args, extra)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
