"""When other schedulers fire: the rule of each, as it was measured on the real one. Pure.

`dialect("busybox-crond").next_times(expression, zone, after, 10)` tells what that engine does, its
faults included. Nothing here is our own rule: that is `tick.cron.timetable`.
"""

from tick.cron.dialects.engines import NAMES, Dialect, dialect

__all__ = ["NAMES", "Dialect", "dialect"]
