#!/bin/sh
# Debian's tzdata and the one on PyPI differ within one release, also after 1970.
set -eu
debian=2026f-0+deb12u1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get -qq download "tzdata=$debian" && dpkg-deb -x tzdata_*.deb system)
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install tzdata==2026.6
"$folder/venv/bin/python" - "$folder/system/usr/share/zoneinfo" "$debian" <<'PYTHON'
import io
import sys
from datetime import datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

system, package = Path(sys.argv[1]), files("tzdata") / "zoneinfo"
releases = [(root / "tzdata.zi").read_text().split("\n")[0] for root in (system, package)]
print("Version: tzdata", sys.argv[2], "of Debian and tzdata 2026.6 of PyPI, both say", releases)
assert releases == ["# version 2026f"] * 2
WEEKS = [datetime(1900, 1, 1, tzinfo=timezone.utc) + timedelta(weeks=n) for n in range(6600)]


def last_difference(name):
    """The last week in which the clocks of a zone show different times, or None."""
    data = [root.joinpath(*name.split("/")).read_bytes() for root in (system, package)]
    ours, theirs = (ZoneInfo.from_file(io.BytesIO(one)) for one in data)
    different = [t for t in WEEKS if t.astimezone(ours).utcoffset() != t.astimezone(theirs).utcoffset()]
    return different[-1] if different else None


names = [name for name in (files("tzdata") / "zones").read_text().split() if (system / name).exists()]
found = {name: at for name in names if (at := last_difference(name)) is not None}
later = {name: at.year for name, at in found.items() if at.year >= 1970}
print(f"{len(found)} of {len(names)} zones differ at some time since 1900; after 1970: {later}")
print("Europe/Amsterdam differs until", found["Europe/Amsterdam"].year)
assert len(found) > 90
assert later
print("The release's name does not tell the content: compare what the clocks show.")
PYTHON
