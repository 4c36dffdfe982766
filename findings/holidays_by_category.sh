#!/bin/sh
# The package holidays leaves days on which nearly all stay at home to categories of their own, and
# what stands in which differs from country to country.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install holidays==0.109 workalendar==17.0.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from datetime import date
from importlib.metadata import version

import holidays
from workalendar.registry import registry

for name in ("holidays", "workalendar"):
    print("Version:", name, version(name))
ASKED = {  # a day of 2026 that an office there has off
    ("HK", None): ("Good Friday", date(2026, 4, 3)),
    ("DE", "BY"): ("Assumption, in most of Bavaria", date(2026, 8, 15)),
    ("SE", None): ("Midsummer Eve", date(2026, 6, 19)),
    ("CL", None): ("banks' day at the end of the year", date(2026, 12, 31)),
}
found = {}
for (country, part), (name, day) in ASKED.items():
    known = holidays.country_holidays(country, subdiv=part).supported_categories
    by = [
        category for category in known
        if category != "school"
        and day in holidays.country_holidays(country, subdiv=part, years=2026, categories=(category,))
    ]
    region = f"{country}-{part}" if part else country
    other = day in {holiday for holiday, _ in registry.get(region)().holidays(2026)}
    found[region] = (by, other)
    print(f"  {region:6} {day} {name:34} holidays: {', '.join(by):15} workalendar: {other}")
assert found == {
    "HK": (["optional"], True),
    "DE-BY": (["catholic"], True),
    "SE": (["bank", "de_facto"], True),
    "CL": (["bank"], True),
}
print("None is in the category that is read by default. Ask by category, region for region.")
PYTHON
