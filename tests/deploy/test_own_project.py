"""The steps of README's "A project of your own", as a newcomer types them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.recipes import ROOT

pytestmark = pytest.mark.servers
README = (ROOT / "README.md").read_text()


def test_the_readmes_steps_lead_to_a_project_that_runs(tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    steps = re.search(r"```sh\n(export TICK_DEFINITIONS=myjobs.*?)```", README, re.DOTALL)
    assert example and steps
    (tmp_path / "myjobs").mkdir()
    (tmp_path / "myjobs" / "__init__.py").write_text(example[1])
    typed, serve = re.subn(r"(?m)^tick up .*\n", "", steps[1])
    assert serve == 1  # what it starts is started in test_start_commands.py
    done = subprocess.run(
        ["bash", "-euc", f"{typed}tick run nightly\ntick now --drain 20\ntick runs\ntick doctor"],
        cwd=tmp_path,
        env={"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 SUCCESS" in done.stdout
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o077 == 0
