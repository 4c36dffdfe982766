#!/bin/sh
# APScheduler's from_crontab takes 0 for Monday, and loses the midnight after the spring change.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install APScheduler==3.11.3 tzdata==2026.6
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

BERLIN = ZoneInfo("Europe/Berlin")
print("Version: APScheduler", version("APScheduler"))


def fired(expression, start, count):
    """The instants, asked as the scheduler asks: a moment after each of them."""
    trigger, found, now = CronTrigger.from_crontab(expression, timezone=BERLIN), [], start
    previous = None
    for _ in range(count):
        previous = trigger.get_next_fire_time(previous, now)
        found.append(previous)
        now = previous + timedelta(milliseconds=20)
    return found


days = {text: fired(text, datetime(2026, 1, 1, tzinfo=BERLIN), 1)[0] for text in ("0 0 * * 0", "0 0 * * 5")}
for text, at in days.items():
    print(f"  {text}: {at:%A}")
assert f"{days['0 0 * * 0']:%A}" == "Monday", "0 is Sunday in crontab(5)"
assert f"{days['0 0 * * 5']:%A}" == "Saturday", "5 is Friday in crontab(5)"
both = fired("0 0 13 * fri", datetime(2026, 1, 1, tzinfo=BERLIN), 2)
print("  0 0 13 * fri:", [f"{at:%a %d %b}" for at in both])
assert all(at.day == 13 and at.weekday() == 4 for at in both), "either day fires in crontab(5)"
nights = fired("0 0 * * *", datetime(2026, 3, 28, 12, tzinfo=BERLIN), 3)
print("  0 0 * * * from 28 March:", [f"{at:%d %b %H:%M}" for at in nights])
assert [at.day for at in nights] == [29, 31, 1], "the midnight of 30 March comes"
print("The five fields look like crontab's and mean other days; one midnight a year is left out.")
PYTHON
exit 0
