#!/bin/sh
# Five libraries read one iCalendar rule and disagree on both nights of a clock change.
# RFC 5545, 3.3.5: a local time that is skipped is read with the offset before the gap, a repeated
# one is the first of the two. Needs python3 and npm.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip --quiet install python-dateutil==2.9.0.post0 tzdata==2026.6
npm install --silent --no-audit --no-fund rrule@2.8.1 ical.js@2.2.1 rrule-temporal@2.2.8 >/dev/null
cat >rules.json <<'JSON'
{"spring daily": ["20260328T023000", "FREQ=DAILY;COUNT=3"],
 "autumn daily": ["20261024T023000", "FREQ=DAILY;COUNT=3"],
 "spring hourly": ["20260329T000000", "FREQ=HOURLY;COUNT=5"],
 "autumn hourly": ["20261025T000000", "FREQ=HOURLY;COUNT=5"]}
JSON
cat >python.py <<'PYTHON'
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from dateutil import tz
from dateutil.rrule import rrulestr

print("Version: python-dateutil", version("python-dateutil"), file=sys.stderr)
zones = {"dateutil, zoneinfo": ZoneInfo("Europe/Berlin"), "dateutil, its own": tz.gettz("Europe/Berlin")}
found = {}
for name, zone in zones.items():
    for night, (start, rule) in json.load(open("rules.json")).items():
        begin = datetime.strptime(start, "%Y%m%dT%H%M%S").replace(tzinfo=zone)
        instants = [at.astimezone(UTC) for at in rrulestr(f"RRULE:{rule}", dtstart=begin)]
        found.setdefault(night, {})[name] = [at.strftime("%d %H:%M") for at in instants]
json.dump(found, open("python.json", "w"))
PYTHON
cat >node.mjs <<'NODE'
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import ICAL from "ical.js";
import rrule from "rrule";
import { RRuleTemporal } from "rrule-temporal";

const versionOf = (name) =>
  JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
for (const name of ["rrule", "ical.js", "rrule-temporal"]) console.error("Version:", name, versionOf(name));
const berlin = [
  "BEGIN:VTIMEZONE", "TZID:Europe/Berlin",
  "BEGIN:DAYLIGHT", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "DTSTART:19700329T020000",
  "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT",
  "BEGIN:STANDARD", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "DTSTART:19701025T030000",
  "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD", "END:VTIMEZONE",
].join("\r\n");
const zone = new ICAL.Timezone(new ICAL.Component(ICAL.parse(berlin)));

function byIcal(start, rule) {
  const [year, month, day, hour, minute] = [[0, 4], [4, 6], [6, 8], [9, 11], [11, 13]].map((part) =>
    Number(start.slice(...part)));
  const begin = new ICAL.Time({ year, month, day, hour, minute, second: 0 }, zone);
  const steps = ICAL.Recur.fromString(rule).iterator(begin);
  const found = [];
  for (let next = steps.next(); next; next = steps.next()) {
    next.zone = zone;
    found.push(next.toUnixTime() * 1000);
  }
  return found;
}
const text = (start, rule) => `DTSTART;TZID=Europe/Berlin:${start}\nRRULE:${rule}`;
const readers = {
  rrule: (start, rule) => rrule.rrulestr(text(start, rule)).all().map(Number),
  "ical.js": byIcal,
  "rrule-temporal": (start, rule) =>
    new RRuleTemporal({ rruleString: text(start, rule) }).all().map((at) => at.epochMilliseconds),
};
const found = JSON.parse(readFileSync("python.json", "utf8"));
for (const [night, [start, rule]] of Object.entries(JSON.parse(readFileSync("rules.json", "utf8"))))
  for (const [name, read] of Object.entries(readers))
    found[night][name] = read(start, rule).map((at) =>
      new Date(at).toISOString().slice(8, 16).replace("T", " "));
writeFileSync("all.json", JSON.stringify(found));
NODE
TZ=UTC venv/bin/python python.py
TZ=UTC node node.mjs
venv/bin/python - <<'PYTHON'
import json

found = json.load(open("all.json"))
for night, answers in found.items():
    print(f"{night}, Europe/Berlin, in UTC:")
    for name, instants in answers.items():
        print(f"  {name:20} {', '.join(instants)}")
gap = {name: instants[1] for name, instants in found["spring daily"].items()}
assert gap["dateutil, zoneinfo"] == "29 01:30", "as the RFC has it"
assert gap["dateutil, its own"] == gap["rrule"] == gap["ical.js"] == "29 00:30"
assert gap["rrule-temporal"] == "30 00:30", "the day is left out, and the count goes on"
fold = {name: instants[1] for name, instants in found["autumn daily"].items()}
assert fold["rrule"] == fold["ical.js"] == "25 01:30", "the second one"
assert {fold[name] for name in fold if name not in ("rrule", "ical.js")} == {"25 00:30"}
hours = found["spring hourly"]
doubled = [name for name, at in hours.items() if len(set(at)) < len(at)]
assert doubled == ["dateutil, zoneinfo", "dateutil, its own", "rrule"]
assert len(hours["ical.js"]) == 4, "the count holds an hour that never comes"
print("An hourly rule names one instant twice in the short night with:", "; ".join(doubled))
LONG_NIGHT = ["24 22:00", "24 23:00", "25 00:00", "25 01:00", "25 02:00"]
lost = {name: sorted({*LONG_NIGHT} - {*at}) for name, at in found["autumn hourly"].items()}
print("and leaves an hour of the long night out:", lost)
assert all(len(hours) == 1 for hours in lost.values()), "each leaves one out"
assert {hours[0] for hours in lost.values()} == {"25 01:00", "24 23:00", "25 00:00"}
print("Export instants in UTC, or one event for each, where a clock change must not move them.")
PYTHON
