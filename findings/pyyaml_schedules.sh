#!/bin/sh
# PyYAML reads the `on:` of a workflow as True, 22:30 as 1350, and a bare * schedule as an alias.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install PyYAML==6.0.3
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import yaml

print("Version: PyYAML", version("PyYAML"))
workflow = yaml.safe_load("on:\n  schedule:\n    - cron: '17 3 * * *'\njobs: {}\n")
print("  the keys of a workflow:", list(workflow))
assert "on" not in workflow and True in workflow
times = yaml.safe_load("{at: 22:30, early: 02:30, late: 10:05:00, day: 2026-01-02, weekday: no}")
print("  times:", times)
assert times["at"] == 1350, "22:30 is a text"
assert times["early"] == "02:30" or times["early"] == 150
assert times["late"] == 36300, "10:05:00 is a text"
assert times["weekday"] is False
schedule = yaml.safe_load("schedule: 0 2 * * *")
assert schedule == {"schedule": "0 2 * * *"}
try:
    yaml.safe_load("schedule: * * * * *")
except yaml.YAMLError as error:
    print("  schedule: * * * * * is refused:", type(error).__name__)
else:
    raise AssertionError("a schedule that begins with a star is read without quotes")
print("A schedule's times and its `on` want quotes; hours from 10 on become numbers without a word.")
PYTHON
exit 0
