"""What the exit statuses of `tick` mean; the README has the same list, and a test compares them."""

from collections.abc import Iterable
from enum import IntEnum

from tick.states import Outcome


class ExitStatus(IntEnum):
    """The exit statuses that a script may rely on."""

    GOOD = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    CANCELLED = 4
    CHANGES = 5
    INTERRUPTED = 130


MEANINGS = {
    ExitStatus.GOOD: "done; with `--wait`: every run succeeded; of a check: nothing to complain of",
    ExitStatus.FAILED: "refused, failed or not reachable, as standard error says; "
    "with `--wait`: a run failed; of a check: something is wrong",
    ExitStatus.USAGE: "the command was given wrongly",
    ExitStatus.PARTIAL: "with `--wait`: only what is declared tolerable failed",
    ExitStatus.CANCELLED: "with `--wait`: it was cancelled",
    ExitStatus.CHANGES: "of `tick plan`: something would change; of `tick import check`: the log "
    "shows other instants",
    ExitStatus.INTERRUPTED: "Ctrl-C; what was started goes on",
}
_OF_OUTCOMES = {
    Outcome.SUCCESS: ExitStatus.GOOD,
    Outcome.PARTIAL: ExitStatus.PARTIAL,
    Outcome.CANCELLED: ExitStatus.CANCELLED,
}
# A failure that somebody has to look at outweighs what a person cancelled.
_WORST_FIRST = (ExitStatus.FAILED, ExitStatus.CANCELLED, ExitStatus.PARTIAL)


def status_of(outcomes: Iterable[Outcome]) -> ExitStatus:
    """Return the status for what came of occurrences: that of the worst."""
    found = {_OF_OUTCOMES.get(outcome, ExitStatus.FAILED) for outcome in outcomes}
    return next((status for status in _WORST_FIRST if status in found), ExitStatus.GOOD)
