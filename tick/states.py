"""The states of everything that has states, and the moves between them."""

from enum import StrEnum

# The database's CHECK constraints, the documentation and the console's colours are tested against
# this file. A member that nothing uses any more stays as long as rows may hold it.


class RunStatus(StrEnum):
    """The state of a JobRun."""

    QUEUED = "QUEUED"
    """Put there by enqueue, retry, snooze, drain or rescue; taken out by a worker's claim."""
    RUNNING = "RUNNING"
    """Claimed by a worker under a fencing token; left through finish or rescue only."""
    SUCCESS = "SUCCESS"
    """The job returned."""
    FAILED = "FAILED"
    """The job raised, timed out, died or was abandoned, and no attempt was left."""
    CANCELLED = "CANCELLED"
    """A person, the job itself, or a definition that is gone ended it."""
    SKIPPED = "SKIPPED"
    """Something it depends on failed, its own condition was false, or it had nothing to do."""


UNFINISHED_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING)
ENDED_RUNS = (RunStatus.SUCCESS, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.SKIPPED)
RUN_MOVES: frozenset[tuple[RunStatus, RunStatus]] = frozenset(
    {
        (RunStatus.QUEUED, RunStatus.RUNNING),
        (RunStatus.QUEUED, RunStatus.SKIPPED),
        (RunStatus.QUEUED, RunStatus.CANCELLED),
        *((RunStatus.RUNNING, ended) for ended in ENDED_RUNS),
        # A retry, a snooze, a drain or a rescue puts a run back.
        (RunStatus.RUNNING, RunStatus.QUEUED),
        # An operator's retry, of the run and of those that it blocked.
        *((ended, RunStatus.QUEUED) for ended in ENDED_RUNS if ended is not RunStatus.SUCCESS),
    }
)


class Trigger(StrEnum):
    """The origin of a JobRun."""

    CRON = "CRON"
    """A schedule was due."""
    EVENT = "EVENT"
    """Something that happened elsewhere asked for it."""
    MANUAL = "MANUAL"
    """A person or a token asked for it."""


class Outcome(StrEnum):
    """The outcome of an occurrence."""

    QUEUED = "QUEUED"
    """Fired; no run has started."""
    RUNNING = "RUNNING"
    """Fired; some run has started and some run has not finished."""
    SUCCESS = "SUCCESS"
    """Every run succeeded, or was skipped by its own condition."""
    FAILED = "FAILED"
    """Some run failed, or was skipped for one that did and left out when that was retried.

    Or its deadline was over before all were done: then its `reason_kind` is DEADLINE.
    """
    PARTIAL = "PARTIAL"
    """Some run failed, and every failure was declared tolerable."""
    CANCELLED = "CANCELLED"
    """No run failed and some run was cancelled."""
    MISSED = "MISSED"
    """Not fired: no tick came while the instant was within its grace."""
    COALESCED = "COALESCED"
    """Not fired: another instant of the same schedule fired in its place."""
    SKIPPED_OVERLAP = "SKIPPED_OVERLAP"
    """Not fired: an earlier occurrence of the schedule had not finished."""
    SUPPRESSED = "SUPPRESSED"
    """Not fired: the schedule was disabled or paused."""
    BLACKOUT = "BLACKOUT"
    """Not fired: a calendar or a maintenance window forbids the instant."""
    FIRE_FAILED = "FIRE_FAILED"
    """Not fired: planning or enqueueing failed again and again."""
    HELD = "HELD"
    """Not fired yet: the storm brake holds it until a person releases it."""


LIVE_OUTCOMES = (Outcome.QUEUED, Outcome.RUNNING)
ENDED_OUTCOMES = (Outcome.SUCCESS, Outcome.FAILED, Outcome.PARTIAL, Outcome.CANCELLED)
FIRED_OUTCOMES = LIVE_OUTCOMES + ENDED_OUTCOMES
NOT_FIRED_OUTCOMES = tuple(outcome for outcome in Outcome if outcome not in FIRED_OUTCOMES)


class OccurrenceKind(StrEnum):
    """The origin of an occurrence."""

    CRON = "CRON"
    INTERVAL = "INTERVAL"
    ONCE = "ONCE"
    MANUAL = "MANUAL"
    EVENT = "EVENT"
    BACKFILL = "BACKFILL"


class ScheduleState(StrEnum):
    """Whether a schedule may fire, beside its `enabled` switch."""

    ACTIVE = "ACTIVE"
    """Fires when enabled and due."""
    PAUSED = "PAUSED"
    """Somebody paused it, with a reason and perhaps an end."""
    REMOVED = "REMOVED"
    """No longer in the definitions; its history is kept."""
    ERROR = "ERROR"
    """Firing failed again and again; waits for a person or a new version."""


class ScheduleSource(StrEnum):
    """The place of a schedule's definition."""

    CODE = "CODE"
    CUSTOM = "CUSTOM"


class ScheduleKind(StrEnum):
    """The layout of a schedule's instants."""

    CRON = "CRON"
    INTERVAL = "INTERVAL"
    ONCE = "ONCE"


class Mode(StrEnum):
    """The jobs that a schedule runs."""

    ALL_JOBS = "ALL_JOBS"
    GROUP = "GROUP"
    SINGLE_JOB = "SINGLE_JOB"
    CUSTOM = "CUSTOM"


class MissedPolicy(StrEnum):
    """The treatment of an instant that no tick saw in time."""

    SKIP = "SKIP"
    """It is recorded as MISSED and never runs by itself."""
    CATCH_UP = "CATCH_UP"
    """The newest missed one runs, if it is young enough."""
    CATCH_UP_ALL = "CATCH_UP_ALL"
    """Each missed one runs, oldest first, up to a number."""


class OverlapPolicy(StrEnum):
    """The treatment of an instant that is due while an earlier occurrence has not finished."""

    SKIP = "SKIP"
    QUEUE_ONE = "QUEUE_ONE"
    REPLACE = "REPLACE"
    ALLOW = "ALLOW"


class BackfillState(StrEnum):
    """The state of a backfill."""

    RUNNING = "RUNNING"
    """Ticks queue its instants, a few at a time."""
    PAUSED = "PAUSED"
    """Nothing of it is queued until somebody resumes it."""
    DONE = "DONE"
    """All its instants have come to their end."""
    CANCELLED = "CANCELLED"
    """Somebody ended it; what had not begun never runs."""


UNFINISHED_BACKFILLS = (BackfillState.RUNNING, BackfillState.PAUSED)


class BackfillOverlap(StrEnum):
    """How the instants of a backfill meet its schedule's own firings."""

    WAIT = "WAIT"
    """None is queued while an own firing is unfinished, or would be in the way of the next one."""
    ALLOW = "ALLOW"
    """They run beside them; neither waits for the other."""


class DayRule(StrEnum):
    """What a schedule's calendar does to an instant, by the day that it falls on."""

    ONLY_BUSINESS_DAYS = "ONLY_BUSINESS_DAYS"
    """It is dropped on a weekend, on a holiday, and once a half day is over."""
    SKIP_HOLIDAYS = "SKIP_HOLIDAYS"
    """It is dropped on a holiday; a weekend is a day like any other."""
    ONLY_HOLIDAYS = "ONLY_HOLIDAYS"
    """It is dropped on each day that is no holiday."""
    NEXT_BUSINESS_DAY = "NEXT_BUSINESS_DAY"
    """Off business days, it moves to the same wall time of the next one."""
    PREVIOUS_BUSINESS_DAY = "PREVIOUS_BUSINESS_DAY"
    """It moves to that of the one before."""
    MODIFIED_FOLLOWING = "MODIFIED_FOLLOWING"
    """It moves to the next one, unless that leaves the month: then to the one before."""


MOVING_DAY_RULES = (
    DayRule.NEXT_BUSINESS_DAY,
    DayRule.PREVIOUS_BUSINESS_DAY,
    DayRule.MODIFIED_FOLLOWING,
)


class HeldBy(StrEnum):
    """What let an instant be decided later than it was due."""

    BRAKE = "BRAKE"
    """The storm brake: the tick had created as many runs as one may."""
    WINDOW = "WINDOW"
    """A maintenance window after which it was to fire."""


class AfterWindow(StrEnum):
    """What becomes of the instants in a maintenance window once it has ended."""

    SKIP = "skip"
    """They never fire."""
    RUN = "run"
    """The newest fires, and stands for the older ones."""


class ReasonKind(StrEnum):
    """What kept an instant from firing, or from ending well, where its outcome does not say so."""

    CALENDAR = "CALENDAR"
    """A day rule dropped it, by the schedule's calendar."""
    WINDOW = "WINDOW"
    """It lay in a maintenance window."""
    STOPPED = "STOPPED"
    """The scheduler was stopped."""
    DEADLINE = "DEADLINE"
    """It fired, and had not ended when its deadline was over."""


class Isolation(StrEnum):
    """Where a worker executes a job."""

    PROCESS = "process"
    """In a child process, which is killed when it is time."""
    THREAD = "thread"
    """In a thread of the worker: cheap, and nothing can kill it."""


class Unique(StrEnum):
    """The scope within which at most one run may be unfinished."""

    JOB = "job"
    PARAMS = "params"
    """The job with the same parameters."""


class WorkerType(StrEnum):
    """The kind of process that a WorkerInstance is."""

    JOB_WORKER = "job_worker"
    SCHEDULE_DAEMON = "schedule_daemon"
    # No process registers by it. The database's CHECK names it, and on SQLite a CHECK changes only
    # with the whole table, so it goes when worker_instance is made anew for another reason.
    HTTP_TRIGGER = "http_trigger"


class WorkerStatus(StrEnum):
    """Whether a process lives."""

    RUNNING = "RUNNING"
    DRAINING = "DRAINING"
    """Takes no new run and finishes what it has."""
    STOPPED = "STOPPED"
    """Ended by itself."""
    DEAD = "DEAD"
    """Stopped beating; its runs were rescued."""


LIVING_WORKERS = (WorkerStatus.RUNNING, WorkerStatus.DRAINING)


class DeliveryStatus(StrEnum):
    """The state of a message to a channel."""

    OWED = "OWED"
    """To be sent, for the first time or again."""
    DELIVERED = "DELIVERED"
    """The channel took it."""
    GAVE_UP = "GAVE_UP"
    """The channel refused it, or was away, for too long."""
    DROPPED = "DROPPED"
    """Its alert or start ended before it was sent."""


class LogLevel(StrEnum):
    """Level of a JobLog line."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    MILESTONE = "milestone"


class Role(StrEnum):
    """The rights of a person or a token."""

    ADMIN = "ADMIN"
    """Everything."""
    VIEWER = "VIEWER"
    """Reads."""


class TokenScope(StrEnum):
    """The part that a token opens; one that leaks opens nothing else."""

    API = "api"
    """The JSON API, as far as the token's role goes."""
    FEED = "feed"
    """The calendar of what fires next."""
    METRICS = "metrics"
    """The metrics."""
