"""Puts what meets again and again into one line: peaks of load, and jobs that two schedules run.

Pure. A schedule of all jobs meets all others sooner or later: with it, they are one line.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tick.policy.load import Demand, Load, Peak

_MOST_AT_ONCE = 100


@dataclass
class Meeting:
    """The same schedules in several peaks of one pool; `worst` has the longest wait of them.

    `all_jobs` are those of them that run all jobs; then `schedules` differ from peak to peak.
    """

    load: Load
    all_jobs: tuple[str, ...]
    first: Peak
    worst: Peak
    times: int = 0
    schedules: set[str] = field(default_factory=set)


@dataclass
class SharedJobs:
    """Jobs that two schedules run at the same time, and how often the one most concerned.

    `other` is None where `schedule_id` runs all jobs; `others` are those that it meets.
    """

    schedule_id: str
    other: str | None
    first: int
    counts: Counter[str] = field(default_factory=Counter)
    others: set[str] = field(default_factory=set)

    @property
    def times(self) -> int:
        """Return how often that job runs twice at once."""
        return max(self.counts.values())


def list_meetings(loads: Iterable[Load], all_jobs: Collection[str]) -> list[Meeting]:
    """Return the peaks in lines, the longest wait first."""
    found: dict[tuple[str | None, frozenset[str]], Meeting] = {}
    for load in loads:
        for peak in load.peaks:
            everything = peak.members.intersection(all_jobs)
            key = load.pool.queue, frozenset(everything or peak.members)
            line = found.setdefault(key, Meeting(load, tuple(sorted(everything)), peak, peak))
            line.times += 1
            line.schedules |= peak.members
            line.worst = max(line.worst, peak, key=_weight)
    return sorted(found.values(), key=lambda line: (_weight(line.worst), line.times), reverse=True)


def _weight(peak: Peak) -> tuple[int, int]:
    return peak.wait_seconds, peak.wanted


def list_shared_jobs(
    demands: Sequence[Demand], all_jobs: Collection[str], length: int
) -> list[SharedJobs]:
    """Return which schedules run the same job at one time, the most frequent first."""
    spans: dict[str, list[tuple[int, int, str]]] = {}
    users = Counter(part.job for demand in demands for part in demand.parts)
    for demand in demands:
        for part in demand.parts:
            if users[part.job] > 1:
                spans.setdefault(part.job, []).extend(
                    (at + part.after, at + part.after + part.seconds, demand.schedule_id)
                    for at in demand.firings
                    if at < length
                )
    found: dict[tuple[str, str | None], SharedJobs] = {}
    for job, mine in spans.items():
        _find_shared(found, job, mine, all_jobs)
    return sorted(found.values(), key=lambda each: (-each.times, each.schedule_id))


def _find_shared(
    found: dict[tuple[str, str | None], SharedJobs],
    job: str,
    spans: list[tuple[int, int, str]],
    all_jobs: Collection[str],
) -> None:
    running: list[tuple[int, str]] = []
    for begin, end, schedule_id in sorted(spans):
        running = [each for each in running if each[0] > begin]
        for other in {name for _, name in running if name != schedule_id}:
            one, two = sorted((schedule_id, other), key=lambda name: (name not in all_jobs, name))
            key = (one, None if one in all_jobs else two)
            line = found.setdefault(key, SharedJobs(*key, begin))
            line.first = min(line.first, begin)
            line.counts[job] += 1
            line.others.add(two)
        if len(running) < _MOST_AT_ONCE:
            running.append((end, schedule_id))
