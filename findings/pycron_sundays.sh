#!/bin/sh
# pycron, by which taskiq's scheduler fires, lets Sunday drop out of a weekday field without a word.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install pycron==3.3.0 taskiq==0.13.0 croniter==7.0.0 tzdata==2026.6
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from croniter import croniter
from taskiq.cli.scheduler.run import is_cron_task_now

for name in ("pycron", "taskiq", "croniter"):
    print("Version:", name, version(name))
WEEK = [datetime(2026, 6, 1, 2, tzinfo=UTC) + timedelta(days=n) for n in range(7)]  # from a Monday


def days(matches):
    """The weekdays on which something fires at two o'clock."""
    return [f"{at:%a}" for at in WEEK if matches(at)]


found = {}
for field in ("7", "5-7", "6-1", "sat-mon", "0", "sun"):
    expression = f"0 2 * * {field}"
    found[field] = days(lambda at: is_cron_task_now(expression, at))
    usual = days(lambda at: croniter.match(expression, at))
    print(f"  {field:8} taskiq: {', '.join(found[field]) or 'never':12} croniter: {', '.join(usual)}")
assert found == {
    "7": [], "5-7": ["Fri", "Sat"], "6-1": ["Sat"], "sat-mon": ["Sat"], "0": ["Sun"], "sun": ["Sun"],
}
print("No error is raised: a weekly task on 7 is accepted, and never sent.")
PYTHON
