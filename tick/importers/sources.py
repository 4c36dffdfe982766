"""What can be imported: each source with its reader. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tick.importers import crontab
from tick.importers.anacron import read_anacron
from tick.importers.entries import Choices, File, Found, ImportRefused
from tick.importers.systemd_cron import read_systemd_cron

MOST_CHARACTERS = 2_000_000
Reader = Callable[[Sequence[File], Choices], Found]


@dataclass(frozen=True, slots=True)
class Source:
    """A source: what its files are, and who reads them."""

    name: str
    files: str
    read: Reader


SOURCES = {
    each.name: each
    for each in (
        Source("debian-cron", "crontabs of Debian and Ubuntu", crontab.read_debian),
        Source("cronie", "crontabs of Fedora, RHEL, Arch", crontab.read_cronie),
        Source("busybox", "crontabs of Alpine and other BusyBox", crontab.read_busybox),
        Source("systemd-cron", "crontabs that systemd-cron runs", read_systemd_cron),
        Source("anacron", "anacrontabs", read_anacron),
    )
}


def read(source: str, files: Sequence[File], choices: Choices) -> Found:
    """Return what stands in files of a source. Raises ImportRefused if it can't be read."""
    for file in files:
        if len(file.text) > MOST_CHARACTERS:
            raise ImportRefused(
                f"{file.name} has {len(file.text):,} characters; split it into files of at most "
                f"{MOST_CHARACTERS:,}."
            )
    return SOURCES[source].read(files, choices)
