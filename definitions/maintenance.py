"""Maintenance: remove what has expired, prove that the rest is sound, keep the files small."""

import logging

from definitions.community.database import connect, database_path, read, replace, transaction
from definitions.community.integrity import count_problems
from definitions.community.queries import newest_activity
from definitions.community.ranking import DAY
from tick import job, prune

log = logging.getLogger(__name__)


@job(group="maintenance", timeout=60, retries=2, idempotent=True)
def expired_sessions(days: int = 30) -> dict[str, int]:
    """Delete sessions that nobody has used for a month."""
    too_old = newest_activity() - days * DAY
    with transaction() as db:
        deleted = db.execute("DELETE FROM session WHERE last_seen_at < ?", (too_old,)).rowcount
    return {"deleted": deleted, "left": read("SELECT count(*) FROM session")[0][0]}


@job(group="maintenance", timeout=300, retries=2, idempotent=True)
def prune_history(keep_days: int = 90) -> dict[str, int]:
    """Delete the job manager's own runs and logs of long ago."""
    return prune(keep_days=keep_days)


@job(
    group="maintenance",
    depends_on=(
        "match-suggestions",
        "topic-trends",
        "ranked-feeds",
        "search-index",
        "related-posts",
        "autocomplete",
        "palettes",
        "duplicate-media",
        "quiz-leaderboards",
        "expired-sessions",
    ),
    # When another job has failed, whether the data is sound is what one wants to know.
    always=True,
    timeout=120,
    idempotent=True,
)
def integrity_checks() -> dict[str, int]:
    """Look for damage and contradictions in what the other jobs wrote; fail if there are any."""
    problems = count_problems()
    replace(integrity_report=problems.items())
    found = {name: count for name, count in problems.items() if count}
    if found:
        raise ValueError(f"The community's data is not sound: {found}; see table integrity_report.")
    log.info("%d checks found nothing", len(problems))
    return {"checks": len(problems), "problems": 0}


@job(group="maintenance", depends_on=("integrity-checks",), timeout=300, idempotent=True)
def optimize_database() -> dict[str, int]:
    """Give unused space back and refresh what the query planner knows; not on damaged data."""
    before = database_path().stat().st_size
    with connect() as db:
        db.execute("VACUUM")
        db.execute("ANALYZE")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {"bytes_before": before, "bytes_after": database_path().stat().st_size}
