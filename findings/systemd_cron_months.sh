#!/bin/sh
# systemd-cron of Debian 12 knows no October: nov runs in October, dec in November, and oct never.
set -eu
debian=1.15.19-5
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get -qq download "systemd-cron=$debian" && dpkg-deb -x systemd-cron_*.deb system)
python3 - "$folder/system/lib/systemd/system-generators/systemd-crontab-generator" "$debian" <<'PYTHON'
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

sys.dont_write_bytecode = True
loader = SourceFileLoader("generator", sys.argv[1])
generator = module_from_spec(spec_from_loader("generator", loader))
loader.exec_module(generator)
generator.log = lambda *_: None
print("Version: systemd-cron", sys.argv[2])


def months(text):
    return generator.parse_time_unit("crontab", "", text, generator.MONTHS_SET, generator.month_map)


def weekdays(text):
    return generator.parse_time_unit("crontab", "", text, generator.DOWS_SET, generator.dow_map)


found = {text: months(text) for text in ("jan", "sep", "oct", "nov", "dec", "10", "11", "12")}
for text, numbers in found.items():
    print(f"  month {text:4} {numbers}")
assert found["sep"] == [9], "September is where it was"
assert found["oct"] == [], "October is not known: the line makes no timer"
assert found["nov"] == [10], "November is October"
assert found["dec"] == [11], "December is November"
assert found["10"] == [10] and found["11"] == [11] and found["12"] == [12]
for text in ("5-7", "6-1"):
    print(f"  weekday {text:4} {weekdays(text)}: the timer then names no weekday, and fires each day")
    assert weekdays(text) == []
print("Months by number are right; names after September are not.")
PYTHON
exit 0
