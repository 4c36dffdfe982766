#!/bin/sh
# croniter joins day-of-month and day-of-week by "or", but not where the weekday has a # or an L.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install croniter==7.0.0
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime
from importlib.metadata import version

from croniter import CroniterBadDateError, croniter

START = datetime(2026, 1, 1)


def first(expression, count=6):
    """The first dates, or the error that stands in their place."""
    walk = croniter(expression, START)
    try:
        return [walk.get_next(datetime).strftime("%a %d %b") for _ in range(count)]
    except CroniterBadDateError as error:
        return str(error)


print("Version: croniter", version("croniter"))
print("On the 28th or on Fridays, on the 28th or on the last Friday, and so on:")
found = {text: first(text) for text in (
    "0 0 28 * 5", "0 0 28 * L5", "0 0 9 * 5#2", "0 0 1 * 5#2", "0 0 1 * L5", "0 0 L * 5", "0 0 L * L5",
)}
for text, dates in found.items():
    print(f"  {text:12} {dates}")
assert "Wed 28 Jan" in found["0 0 28 * 5"], "plain weekdays are joined by or"
assert found["0 0 28 * L5"][0] == "Fri 30 Jan", "the 28th is left out"
assert found["0 0 9 * 5#2"][1] == "Fri 13 Feb", "the 9th of February is left out"
assert found["0 0 1 * 5#2"] == found["0 0 1 * L5"] == "failed to find next date"
assert "Sat 31 Jan" in found["0 0 L * 5"], "the last day is joined by or to a plain weekday"
assert "Sat 31 Jan" not in found["0 0 L * L5"], "and left out beside L5"
print("Beside # or L the day of the month never fires, and may keep the weekday from firing as well.")
PYTHON
