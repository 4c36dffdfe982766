#!/bin/sh
# cron-descriptor joins two restricted day fields by "or" in words, unless both are ranges.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install cron-descriptor==2.2.1
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from cron_descriptor import get_description

print("Version: cron-descriptor", version("cron-descriptor"))
print("Cron fires when either of two restricted day fields matches. The words:")
said = {text: get_description(text) for text in ("0 0 13 * 5", "0 0 1-7 * 1", "0 18 25-31 * 1-5")}
for text, words in said.items():
    print(f"  {text:18} {words}")
assert ", or on Friday" in said["0 0 13 * 5"]
assert ", or on Monday" in said["0 0 1-7 * 1"]
assert " or " not in said["0 18 25-31 * 1-5"], "two ranges are joined by or, now"
print("With a weekday range the 'or' is missing: it reads as a condition on both.")
PYTHON
