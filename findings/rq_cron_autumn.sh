#!/bin/sh
# rq's cron jobs pause for an hour when the clocks go back, those of every five minutes, too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install rq==3.0.0 croniter==7.0.0 tzdata==2026.6
TZ=Europe/Berlin "$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from rq.cron import CronJob

for name in ("rq", "croniter"):
    print("Version:", name, version(name))


def instants(expression, start, end):
    """The times at which a job is put into its queue, from the first one after `start`."""
    job, found = CronJob("default", func=print, cron=expression), []
    job.set_enqueue_time(start)
    while job.next_enqueue_time < end:
        found.append(job.next_enqueue_time)
        job.set_enqueue_time(job.next_enqueue_time)
    return found


def longest_pause(expression, start):
    """The longest time between two of them in the day after `start`."""
    found = instants(expression, start, start + timedelta(days=1))
    return max((later - before, before) for before, later in zip(found, found[1:]))


AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
found = {}
for expression in ("*/5 * * * *", "*/15 * * * *", "0 * * * *"):
    for season, start in (("spring", SPRING), ("autumn", AUTUMN)):
        pause, since = longest_pause(expression, start)
        found[expression, season] = pause
        print(f"  {expression:13} {season}: longest pause {pause}, from {since:%d %b %H:%M} UTC")
assert found["*/5 * * * *", "autumn"] == timedelta(minutes=65)
assert found["*/15 * * * *", "autumn"] == timedelta(minutes=75)
assert found["0 * * * *", "autumn"] == timedelta(hours=2)
assert {found[e, "spring"] for e in ("*/5 * * * *", "0 * * * *")} == {timedelta(minutes=5), timedelta(hours=1)}
print("The fields are matched against the machine's clock, whose repeated hour is passed over.")
PYTHON
