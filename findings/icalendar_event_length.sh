#!/bin/sh
# recurring-ical-events lets a half-hour event that begins in the skipped hour end before it begins.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install recurring-ical-events==3.8.2 icalendar==7.3.2 tzdata==2026.6
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, timedelta
from importlib.metadata import version

import icalendar
import recurring_ical_events

for name in ("recurring-ical-events", "icalendar"):
    print("Version:", name, version(name))


def lengths(length):
    """The length of each day's event, in minutes of elapsed time, by its date."""
    event = "\r\n".join((
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//EN", "BEGIN:VEVENT", "UID:backup",
        "DTSTART;TZID=Europe/Berlin:20260328T023000", length, "RRULE:FREQ=DAILY;COUNT=3",
        "SUMMARY:Backup", "END:VEVENT", "END:VCALENDAR", "",
    ))
    calendar = icalendar.Calendar.from_ical(event)
    events = recurring_ical_events.of(calendar).between((2026, 3, 1), (2026, 4, 30))
    return {
        str(event["DTSTART"].dt.date()): (event["DTEND"].dt.astimezone(UTC) - event["DTSTART"].dt.astimezone(UTC))
        // timedelta(minutes=1)
        for event in events
    }


found = {length: lengths(length) for length in (
    "DURATION:PT30M", "DURATION:PT1H", "DTEND;TZID=Europe/Berlin:20260328T033000",
)}
for length, days in found.items():
    print(f"  {length:42} {days}")
assert [days["2026-03-29"] for days in found.values()] == [-30, 0, 0]
assert all(days["2026-03-28"] == days["2026-03-30"] > 0 for days in found.values())
print("RFC 5545 calls a DURATION of hours elapsed time: the event would end half an hour later.")
PYTHON
