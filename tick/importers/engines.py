"""The engines whose entries can be brought here: the dialects, and variants of them. Pure."""

from tick.cron.dialects import Dialect, dialect
from tick.cron.dialects.crond import cronie, drawn_by_cronie, walk_busybox

# With CRON_TZ cronie looks at the wall of that zone alone, and makes up for nothing.
CRONIE_WITH_ZONE = Dialect("cronie with CRON_TZ", "1.7.2", cronie, walk_busybox, drawn_by_cronie)


def engine(name: str) -> Dialect:
    """Return the engine of that name."""
    return CRONIE_WITH_ZONE if name == CRONIE_WITH_ZONE.name else dialect(name)
