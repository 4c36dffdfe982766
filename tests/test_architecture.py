"""Rules that the code keeps by itself: who imports whom, who reads a clock, how long things are."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path
    for package in ("tick", "webapp")
    for path in (ROOT / package).rglob("*.py")
    if "node_modules" not in path.parts
)
PURE = {"cron", "define", "engine", "executors", "policy"}
LONGEST_MODULE, LONGEST_TABLES, LONGEST_FUNCTION = 330, 600, 60


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_nothing_is_longer_than_it_may_be(path: Path) -> None:
    text = path.read_text()
    longest = LONGEST_TABLES if path.name == "tables.py" else LONGEST_MODULE
    assert len(text.splitlines()) <= longest
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if PURE & set(path.relative_to(ROOT).parts)],
    ids=place,
)
def test_the_engine_reads_no_clock(path: Path) -> None:
    clocks = {"datetime.now", "datetime.utcnow", "time.time", "date.today", "clock.now"}
    at_the_edge = {"capture.py", "child.py", "child_process.py", "process_pool.py"}
    if path.name not in at_the_edge:
        assert not clocks & set(calls(ast.parse(path.read_text())))


def test_one_module_imports_croniter() -> None:
    users = [place(path) for path in MODULES if "croniter" in imported(ast.parse(path.read_text()))]
    assert users == ["tick/cron/timetable.py"]


def test_only_the_settings_and_the_edge_read_the_environment() -> None:
    users = [place(path) for path in MODULES if "os.environ" in path.read_text()]
    assert set(users) <= {
        "tick/settings.py",
        "tick/environment.py",
        "tick/cli/serving.py",
        "tick/executors/child_process.py",
        "tick/executors/leftovers.py",
    }


def test_a_command_handles_signals_in_its_own_process_only() -> None:
    # A copy that a job makes would inherit the handler, and outlive whoever terminates it.
    users = [
        place(path) for path in MODULES if "signal.signal" in calls(ast.parse(path.read_text()))
    ]
    assert users == ["tick/executors/child.py", "tick/executors/leftovers.py", "tick/forks.py"]


def test_importing_the_public_names_opens_nothing_and_stays_light() -> None:
    code = (
        "import sys, tick;"
        " print(sorted({'sqlalchemy', 'flask', 'alembic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
