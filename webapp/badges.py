"""How every state looks: a word, an icon and a tone beside the colour, and what it means."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """One state's face: `tone` picks the colour, which is never its only sign."""

    word: str
    tone: str
    icon: str
    meaning: str


LOOKS = {
    # Runs and occurrences
    "QUEUED": Look("Queued", "wait", "hourglass-split", "Waits for what it depends on or a worker"),
    "RUNNING": Look("Running", "live", "arrow-repeat", "At work"),
    "SUCCESS": Look("Success", "good", "check-circle-fill", "Everything succeeded"),
    "FAILED": Look("Failed", "bad", "x-circle-fill", "Something failed, and no attempt was left"),
    "CANCELLED": Look("Cancelled", "quiet", "slash-circle", "Ended by a person or by itself"),
    # Runs only
    "SKIPPED": Look("Skipped", "quiet", "skip-forward-fill", "Never ran: what it needs failed"),
    # Occurrences only
    "PARTIAL": Look(
        "Partial", "warn", "exclamation-triangle-fill", "Some run failed, all of them tolerable"
    ),
    "MISSED": Look("Missed", "warn", "clock-history", "Not fired: no tick came within its grace"),
    "COALESCED": Look(
        "Coalesced", "quiet", "collection", "Not fired: a newer instant fired in its place"
    ),
    "SKIPPED_OVERLAP": Look(
        "Overlap", "warn", "skip-forward-fill", "Not fired: the one before had not finished"
    ),
    "SUPPRESSED": Look(
        "Suppressed", "quiet", "pause-fill", "Not fired: the schedule was disabled or paused"
    ),
    "BLACKOUT": Look(
        "Blackout", "quiet", "moon-stars", "Not fired: a calendar or maintenance forbade it"
    ),
    "FIRE_FAILED": Look(
        "Fire failed", "bad", "lightning-charge-fill", "Not fired: enqueueing failed repeatedly"
    ),
    "HELD": Look("Held", "warn", "shield-lock", "Not fired yet: held by the storm brake"),
}
WORKER_LOOKS = {
    "RUNNING": Look("Alive", "good", "heart-pulse", "It beats"),
    "DRAINING": Look("Draining", "live", "hourglass-split", "Takes nothing new, finishes and ends"),
    "STOPPED": Look("Stopped", "quiet", "stop-fill", "It ended by itself"),
    "DEAD": Look("Dead", "bad", "x-circle-fill", "It stopped beating; its runs were rescued"),
}
SILENT = Look("Silent", "warn", "exclamation-triangle-fill", "It missed more than two beats")
NEVER = Look("Never ran", "quiet", "dash-lg", "It has no run yet")
_UNKNOWN = Look("Unknown", "quiet", "question-circle", "A state that this release does not know")


def look(state: str | None) -> Look:
    """The face of a state; a stranger gets one, too, and None that of what never ran."""
    if state is None:
        return NEVER
    return LOOKS.get(state, _UNKNOWN)


def worker_look(status: str, silent_seconds: float, beats_every: float) -> Look:
    """The face of a process: one that should beat and does not is silent."""
    if status in ("RUNNING", "DRAINING") and silent_seconds > 2 * beats_every:
        return SILENT
    return WORKER_LOOKS.get(status, _UNKNOWN)
