"""The badge of every state: word, icon, tone and meaning."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Badge:
    """A state as people see it; `tone` picks the colour."""

    # Word and icon beside it: who sees no colours must tell states apart, too.

    word: str
    tone: str
    icon: str
    meaning: str


BADGES = {
    # Runs and occurrences
    "QUEUED": Badge(
        "Queued", "wait", "hourglass-split", "Waits for what it depends on or a worker"
    ),
    "RUNNING": Badge("Running", "live", "arrow-repeat", "At work"),
    "SUCCESS": Badge("Success", "good", "check-circle-fill", "Everything succeeded"),
    "FAILED": Badge("Failed", "bad", "x-circle-fill", "Something failed, and no attempt was left"),
    "CANCELLED": Badge("Cancelled", "quiet", "slash-circle", "Ended by a person or by itself"),
    # Runs only
    "SKIPPED": Badge("Skipped", "quiet", "skip-forward-fill", "Never ran: what it needs failed"),
    # Occurrences only
    "PARTIAL": Badge(
        "Partial", "warn", "exclamation-triangle-fill", "Some run failed, all of them tolerable"
    ),
    "MISSED": Badge("Missed", "warn", "clock-history", "Not fired: no tick came within its grace"),
    "COALESCED": Badge(
        "Coalesced", "quiet", "collection", "Not fired: another instant fired in its place"
    ),
    "SKIPPED_OVERLAP": Badge(
        "Overlap", "warn", "skip-forward-fill", "Not fired: the one before had not finished"
    ),
    "SUPPRESSED": Badge(
        "Suppressed", "quiet", "pause-fill", "Not fired: the schedule was disabled or paused"
    ),
    "BLACKOUT": Badge(
        "Blackout", "quiet", "moon-stars", "Not fired: a calendar or maintenance forbade it"
    ),
    "FIRE_FAILED": Badge(
        "Fire failed", "bad", "lightning-charge-fill", "Not fired: enqueueing failed repeatedly"
    ),
    "HELD": Badge("Held", "warn", "shield-lock", "Not fired yet: held by the storm brake"),
}
WORKER_BADGES = {
    "RUNNING": Badge("Alive", "good", "heart-pulse", "It beats"),
    "DRAINING": Badge(
        "Draining", "live", "hourglass-split", "Takes nothing new, finishes and ends"
    ),
    "STOPPED": Badge("Stopped", "quiet", "stop-fill", "It ended by itself"),
    "DEAD": Badge("Dead", "bad", "x-circle-fill", "It stopped beating; its runs were rescued"),
}
SILENT = Badge("Silent", "warn", "exclamation-triangle-fill", "It missed more than two beats")
NEVER = Badge("Never ran", "quiet", "dash-lg", "It has no run yet")
_UNKNOWN = Badge("Unknown", "quiet", "question-circle", "A state that this release does not know")


def badge(state: str | None) -> Badge:
    """Return the badge of a state; None stands for a job that never ran."""
    if state is None:
        return NEVER
    # During a deploy a newer release may have written a state that this one does not know.
    return BADGES.get(state, _UNKNOWN)


def worker_badge(status: str, silent_seconds: float, beats_every: float) -> Badge:
    """Return the badge of a process; it is silent if it missed two heartbeats."""
    if status in ("RUNNING", "DRAINING") and silent_seconds > 2 * beats_every:
        return SILENT
    return WORKER_BADGES.get(status, _UNKNOWN)
