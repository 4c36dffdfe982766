"""The whole data model on one page, and no behaviour.

Instants are UTC and end in `_at` (or are `scheduled_for`); lengths end in `_seconds`.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

from tick.policy.histogram import LATE_BOUNDS, TOOK_BOUNDS, WAITED_BOUNDS
from tick.states import (
    LIVE_OUTCOMES,
    BackfillOverlap,
    BackfillState,
    DeliveryStatus,
    LogLevel,
    OccurrenceKind,
    Outcome,
    Role,
    RunStatus,
    ScheduleSource,
    ScheduleState,
    TokenScope,
    Trigger,
    WorkerStatus,
    WorkerType,
)
from tick.store.sql import UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only numbers rows by itself in a column declared INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Instant = UtcDateTime()
IS_ACTIVE = sa.text("job_schedule.enabled AND job_schedule.state = 'ACTIVE'")
"""The predicate of the index of due schedules, as queries repeat it."""
OF_MANY_INDEXED = "audit_entry.action LIKE 'schedules.%'"
"""The predicate of the index of changes of many schedules, as queries repeat it."""
IS_BOUNDED = "firing_deadline_at IS NOT NULL AND status IN ('QUEUED', 'RUNNING')"
"""The predicate of the index of unfinished runs whose firing has a deadline."""
_COUNTED = "its end is in the table of hours"
_ENDED = "outcome NOT IN ('QUEUED', 'RUNNING')"
_UNUSUAL = "outcome NOT IN ('QUEUED', 'RUNNING', 'SUCCESS')"


def _table(name: str, *parts: SchemaItem) -> Table:
    return Table(name, metadata, *parts)


def _one_of(column: str, states: Iterable[StrEnum]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{state}'" for state in states)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _partial(name: str, *columns: str | sa.TextClause, where: str, unique: bool = False) -> Index:
    literal = sa.text(where)
    return Index(name, *columns, unique=unique, postgresql_where=literal, sqlite_where=literal)


def _numbers(*names: str) -> list[Column[int]]:
    return [Column(name, sa.Integer, nullable=False, server_default="0") for name in names]


def _seconds(*names: str) -> list[Column[float]]:
    return [Column(name, sa.Float, nullable=False, server_default="0") for name in names]


def buckets(kind: str, bounds: Sequence[float]) -> list[str]:
    """The columns of a histogram: one for each bound, and one for what is beyond the last."""
    return [f"{kind}_{number}" for number in range(len(bounds) + 1)]


def _of_schedule(ondelete: str | None = None) -> ForeignKey:
    # A renamed schedule keeps its history: its new id reaches every row by cascade.
    return ForeignKey("job_schedule.id", ondelete=ondelete, onupdate="CASCADE")


definition_set = _table(
    "definition_set",
    Column("generation", BigId, primary_key=True, comment="rises with each new set of definitions"),
    Column("digest", sa.String(64), nullable=False),
    Column("release", sa.String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
)

job_schedule = _table(
    "job_schedule",
    Column("id", sa.String(50), primary_key=True),
    Column("name", sa.String(200), nullable=False),
    Column("description", sa.Text, nullable=False, server_default=""),
    Column("enabled", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("locked_at", Instant),
    Column("locked_by", sa.String(64)),
    Column("lock_token", sa.BigInteger, nullable=False, server_default="0", comment="only rises"),
    Column("decided_to", Instant, nullable=False, comment="nothing up to it is decided again"),
    Column("asked_for", Instant, comment="a person asked for it: it fires whatever its age"),
    Column("retry_after", Instant, comment="not claimed before"),
    Column(
        "deferred_to", Instant, comment="a tick saw the due instants up to it, and put them off"
    ),
    Column("deferred_as", sa.String(20), comment="the outcome of those that are too late then"),
    Column("deferred_reason", sa.Text),
    Column("fire_errors", sa.Integer, nullable=False, server_default="0"),
    Column("last_error", sa.Text),
    Column("last_run_at", Instant),
    # Without foreign keys: these tables refer back, and a pruned run may leave its id here.
    Column("last_run_id", BigId, comment="first run of the last firing"),
    Column("last_occurrence_id", BigId),
    Column("next_run_at", Instant),
    *_numbers("run_count", "failure_count", "consecutive_failures"),
    Column("source", sa.String(10), nullable=False, server_default=ScheduleSource.CODE),
    Column("version_id", BigId),
    Column("alerts", Json, comment="its alert rules; null: those that every schedule has"),
    Column("generation", BigId, nullable=False, server_default="0"),
    Column("state", sa.String(10), nullable=False, server_default=ScheduleState.ACTIVE),
    Column("state_reason", sa.Text),
    Column("state_by", sa.String(100)),
    Column("state_at", Instant),
    Column("state_until", Instant, comment="when a pause ends by itself"),
    Column("enabled_at", Instant, comment="when `enabled` last changed"),
    Column("enabled_by", sa.String(100)),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("labels", Json, comment="what people call it together with others"),
    Column("request_key", sa.String(40), comment="of the request that made it by hand"),
    Column("former_ids", Json, comment="what it was called before, the first name first"),
    Column("environments", Json, comment="where it exists, and what differs; null: everywhere"),
    _one_of("source", ScheduleSource),
    _one_of("state", ScheduleState),
    _partial("ix_job_schedule_due", "next_run_at", "id", where="enabled AND state = 'ACTIVE'"),
    _partial("ix_job_schedule_paused", "state_until", where="state = 'PAUSED'"),
    _partial("ix_job_schedule_locked", "locked_by", where="locked_by IS NOT NULL"),
)

schedule_version = _table(
    "schedule_version",
    Column("id", BigId, primary_key=True),
    Column("schedule_id", sa.String(50), _of_schedule(), nullable=False),
    Column("number", sa.Integer, nullable=False, comment="1, 2, 3 … within the schedule"),
    Column("definition", Json, nullable=False),
    Column("digest", sa.String(64), nullable=False, comment="of what changes behaviour"),
    Column("rule", sa.Text, nullable=False, comment="JSON: when it fires"),
    Column("rule_key", sa.String(16), nullable=False, comment="equal rules share plans"),
    Column(
        "rule_format",
        sa.Integer,
        nullable=False,
        server_default="1",
        comment="a release that is older than the format leaves the schedule alone",
    ),
    Column("limited", sa.Boolean, nullable=False, comment="the rule has a limit of runs"),
    Column("overlap", sa.String(10), nullable=False),
    Column("mode", sa.String(20), nullable=False),
    Column("target", sa.Text, nullable=False, comment="JSON: the jobs and their dependencies"),
    Column("target_key", sa.String(16), nullable=False),
    Column("since", Instant, nullable=False),
    Column("by", sa.String(100), nullable=False),
    # Without a foreign key: 0 means that its instants depend on no zone data.
    Column("zone_data_id", BigId, comment="the zone data it is read with; null: not looked at"),
    UniqueConstraint("schedule_id", "number"),
    _partial("ix_schedule_version_unread", "id", where="zone_data_id IS NULL"),
)

# What the clocks of a zone show changes with releases of the data: what was decided by older ones
# is explained and proven by them.
zone_data = _table(
    "zone_data",
    Column("id", BigId, primary_key=True),
    Column("zone", sa.String(100), nullable=False),
    Column("digest", sa.String(16), nullable=False, comment="of what its clocks show"),
    Column("version", sa.String(20), comment="the IANA release; null where nothing told it"),
    Column("file", sa.LargeBinary, nullable=False, comment="TZif"),
    Column("since", Instant, nullable=False),
    Column("by", sa.String(100), nullable=False),
    Column("replaced_at", Instant, comment="when no schedule went by it any more"),
    Column("taken_back", sa.Boolean, nullable=False, server_default=sa.false()),
    _partial("uq_zone_data_in_force", "zone", "digest", where="replaced_at IS NULL", unique=True),
)

# What a newer croniter, or a newer rule of ours, would move shows beside what the older one told.
instant_forecast = _table(
    "instant_forecast",
    Column("version_id", BigId, ForeignKey("schedule_version.id"), primary_key=True),
    Column("calculator", sa.String(100), nullable=False, comment="what worked the instants out"),
    Column("since", Instant, nullable=False, comment="the instants later than it are known"),
    Column("until", Instant, nullable=False, comment="and none later than it"),
    Column("renew_at", Instant, nullable=False),
    Column("instants", sa.LargeBinary, nullable=False, comment="steps in microseconds, zlib"),
)

occurrence = _table(
    "occurrence",
    Column("id", BigId, primary_key=True),
    Column("schedule_id", sa.String(50), _of_schedule()),
    Column("version_id", BigId, ForeignKey("schedule_version.id")),
    Column("kind", sa.String(10), nullable=False),
    Column("scheduled_for", Instant, comment="the nominal instant; null when nothing was due"),
    Column("nominal_for", Instant, comment="the rule's own instant, where a calendar moved it"),
    Column("scheduled_until", Instant, comment="the last instant of a range not fired"),
    Column("count", sa.Integer, nullable=False, server_default="1", comment="instants in this row"),
    Column("key", sa.String(100), unique=True, comment="identity of what is not due by time"),
    Column("title", sa.String(200), comment="what a manual firing was of"),
    Column("outcome", sa.String(20), nullable=False),
    Column("reason", sa.Text),
    Column("held_by", sa.String(10), comment="what let it be decided later than it was due"),
    Column("held_until", Instant, comment="from then on it could be decided"),
    Column("reason_kind", sa.String(10), comment="what kept it from firing, beside its outcome"),
    Column("blocked_by_id", BigId, comment="the occurrence that an overlap policy waited for"),
    Column("late_seconds", sa.Float),
    Column("tick_id", sa.String(32), nullable=False, comment="the tick or action that wrote it"),
    Column("triggered_by", sa.String(100)),
    Column("decided_at", Instant, nullable=False),
    Column("first_started_at", Instant),
    Column("last_finished_at", Instant),
    *_numbers("runs", "succeeded", "failed", "cancelled", "skipped"),
    Column("counted", sa.Boolean, nullable=False, server_default=sa.false(), comment=_COUNTED),
    Column("judged", sa.Boolean, nullable=False, server_default=sa.false(), comment="by alerts"),
    UniqueConstraint("schedule_id", "scheduled_for"),
    _one_of("kind", OccurrenceKind),
    _one_of("outcome", Outcome),
    Index("ix_occurrence_schedule_id_id", "schedule_id", "id"),
    _partial("ix_occurrence_live", "schedule_id", where="outcome IN ('QUEUED', 'RUNNING')"),
    _partial("ix_occurrence_unjudged", "id", where=f"NOT judged AND {_ENDED}"),
    _partial(
        "ix_occurrence_ranges",
        *("schedule_id", "scheduled_until", "scheduled_for"),
        where="scheduled_until IS NOT NULL",
    ),
    _partial("ix_occurrence_by_hand", "decided_at", where="scheduled_for IS NULL"),
    _partial("ix_occurrence_unusual", "outcome", "id", where=_UNUSUAL),
    _partial(
        "ix_occurrence_unusual_of_schedule", *("schedule_id", "outcome", "id"), where=_UNUSUAL
    ),
    Index("ix_occurrence_tick_id", "tick_id"),
    _partial("ix_occurrence_uncounted", "id", where=f"NOT counted AND {_ENDED}"),
)

# Its occurrences have its name as their tick_id (engine/ledger/backfills.py).
backfill = _table(
    "backfill",
    Column("id", BigId, primary_key=True),
    Column("schedule_id", sa.String(50), _of_schedule(), nullable=False),
    Column("starts_at", Instant, nullable=False, comment="the first instant that may run"),
    Column("ends_at", Instant, nullable=False, comment="the last instant that may run"),
    Column("decided_to", Instant, nullable=False, comment="up to it all is queued or passed over"),
    Column("overlap", sa.String(10), nullable=False),
    Column("max_parallel", sa.Integer, nullable=False),
    Column("state", sa.String(10), nullable=False, server_default=BackfillState.RUNNING),
    Column("state_at", Instant, nullable=False),
    Column("state_by", sa.String(100), nullable=False),
    Column("total", sa.Integer, nullable=False, comment="instants that had not run when it began"),
    *_numbers("made", "passed_over"),
    *_seconds("paused_seconds"),
    Column("reason", sa.Text),
    Column("request_key", sa.String(64), unique=True, comment="of the request that began it"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", sa.String(100), nullable=False),
    _one_of("state", BackfillState),
    _one_of("overlap", BackfillOverlap),
    _partial("ix_backfill_running", "id", where="state = 'RUNNING'"),
    _partial(
        "uq_backfill_unfinished",
        "schedule_id",
        where="state IN ('RUNNING', 'PAUSED')",
        unique=True,
    ),
)

job_run = _table(
    "job_run",
    Column("id", BigId, primary_key=True),
    Column("occurrence_id", BigId, ForeignKey("occurrence.id", ondelete="CASCADE"), nullable=False),
    Column("schedule_id", sa.String(50), _of_schedule(ondelete="SET NULL")),
    Column("scheduled_for", Instant),
    Column("job_name", sa.String(100), nullable=False),
    Column("job_group", sa.String(50), nullable=False),
    Column("status", sa.String(10), nullable=False, server_default=RunStatus.QUEUED),
    Column("trigger", sa.String(10), nullable=False),
    Column("triggered_by", sa.String(100)),
    Column("queue", sa.String(50), nullable=False, server_default="default"),
    Column("priority", sa.Integer, nullable=False, server_default="0", comment="high runs first"),
    Column("params", Json, nullable=False),
    Column("run_metadata", Json, nullable=False),
    Column("attempt", sa.Integer, nullable=False, server_default="0"),
    Column("max_attempts", sa.Integer, nullable=False, server_default="1"),
    Column("idempotent", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("unique_key", sa.String(64), comment="shared by no two unfinished runs of the job"),
    Column("rescues", sa.Integer, nullable=False, server_default="0"),
    Column("available_at", Instant, nullable=False),
    Column("worker_id", sa.String(32), ForeignKey("worker_instance.id", ondelete="SET NULL")),
    Column("fencing_token", sa.BigInteger, nullable=False, server_default="0"),
    Column("deadline_at", Instant),
    Column("timeout_seconds", sa.Float, comment="its schedule's; null: its job's"),
    Column("firing_deadline_at", Instant, comment="when its whole firing has to have ended"),
    Column("cancel_requested_at", Instant),
    Column("queued_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("progress", sa.Float),
    Column("progress_text", sa.String(200)),
    Column("result", sa.Text, comment="JSON, bounded"),
    Column("reason", sa.Text, comment="why it was skipped, cancelled or put back"),
    # Without a foreign key: the two are of one occurrence, and are pruned together.
    Column("skipped_for_id", BigId, comment="the run that it was skipped for"),
    Column("error_type", sa.String(200)),
    Column("error_message", sa.Text),
    Column("error_traceback", sa.Text),
    Column("counted", sa.Boolean, nullable=False, server_default=sa.false(), comment=_COUNTED),
    UniqueConstraint("schedule_id", "scheduled_for", "job_name"),
    _one_of("status", RunStatus),
    _one_of("trigger", Trigger),
    Index("ix_job_run_occurrence_id", "occurrence_id"),
    Index("ix_job_run_schedule_id_id", "schedule_id", "id"),
    Index("ix_job_run_job_name_id", "job_name", "id"),
    _partial("ix_job_run_claimable", sa.text("priority DESC"), "id", where="status = 'QUEUED'"),
    _partial(
        *("uq_job_run_unfinished", "job_name", "unique_key"),
        where="unique_key IS NOT NULL AND status IN ('QUEUED', 'RUNNING')",
        unique=True,
    ),
    _partial("ix_job_run_running", "worker_id", where="status = 'RUNNING'"),
    _partial("ix_job_run_bounded", "firing_deadline_at", where=IS_BOUNDED),
    _partial("ix_job_run_failed", "id", where="status = 'FAILED'"),
    _partial("ix_job_run_worker_id_id", "worker_id", "id", where="worker_id IS NOT NULL"),
    _partial("ix_job_run_uncounted", "id", where="NOT counted AND finished_at IS NOT NULL"),
)

job_run_dependency = _table(
    "job_run_dependency",
    Column("run_id", BigId, ForeignKey("job_run.id", ondelete="CASCADE"), primary_key=True),
    Column("depends_on_id", BigId, ForeignKey("job_run.id", ondelete="CASCADE"), primary_key=True),
    Column("tolerant", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("tolerated", sa.Boolean, nullable=False, server_default=sa.false()),
    Index("ix_job_run_dependency_depends_on_id", "depends_on_id"),
)

job_log = _table(
    "job_log",
    Column("id", BigId, primary_key=True),
    Column("run_id", BigId, ForeignKey("job_run.id", ondelete="CASCADE"), nullable=False),
    Column("attempt", sa.Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("level", sa.String(10), nullable=False),
    Column("message", sa.Text, nullable=False),
    Column("fields", Json),
    _one_of("level", LogLevel),
    Index("ix_job_log_run_id_id", "run_id", "id"),
)

worker_instance = _table(
    "worker_instance",
    Column("id", sa.String(32), primary_key=True, comment="random; never the host's name"),
    Column("worker_type", sa.String(20), nullable=False),
    Column("status", sa.String(10), nullable=False),
    Column("hostname", sa.String(255), nullable=False),
    Column("pid", sa.Integer, nullable=False),
    Column("version", sa.String(50), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("last_heartbeat_at", Instant, nullable=False),
    Column("stopped_at", Instant),
    Column("abilities", Json, nullable=False, comment="queues, processes, what it can do"),
    Column("activity", sa.String(200), comment="what it is doing"),
    _one_of("worker_type", WorkerType),
    _one_of("status", WorkerStatus),
    _partial(
        "ix_worker_instance_alive", "last_heartbeat_at", where="status IN ('RUNNING', 'DRAINING')"
    ),
)

tick_log = _table(
    "tick_log",
    Column("id", sa.String(32), primary_key=True),
    Column("source", sa.String(100), nullable=False),
    Column("now", Instant, nullable=False, comment="the instant that the tick decided by"),
    Column("started_at", Instant, nullable=False),
    Column("took_seconds", sa.Float, nullable=False),
    *_numbers("due", "fired", "not_fired", "runs", "rescued"),
    Column("late_seconds", sa.Float, comment="of the latest firing in this tick"),
    Column("more", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("error", sa.Text),
    Index("ix_tick_log_started_at", "started_at"),
)

audit_entry = _table(
    "audit_entry",
    Column("id", BigId, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", sa.String(100), nullable=False),
    Column("action", sa.String(50), nullable=False, comment="schedule.enable, run.cancel …"),
    Column("subject", sa.String(100), nullable=False, comment="id of what was changed"),
    Column("before", Json),
    Column("after", Json),
    Column("reason", sa.Text),
    Column("request_id", sa.String(64)),
    Index("ix_audit_entry_subject_id", "subject", "id"),
    _partial("ix_audit_entry_renames", "id", where="action = 'schedule.rename'"),
    _partial("ix_audit_entry_of_many", "id", where="action LIKE 'schedules.%'"),
)

alert = _table(
    "alert",
    Column("id", BigId, primary_key=True),
    Column("key", sa.String(150), nullable=False, comment="what is wrong; one is open at a time"),
    Column("rule", sa.String(30), nullable=False),
    Column("schedule_id", sa.String(50), _of_schedule(ondelete="SET NULL")),
    # Without a foreign key: pruning a ledger must not look for alerts.
    Column("occurrence_id", BigId),
    Column("title", sa.String(300), nullable=False),
    Column("message", sa.Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("expires_at", Instant, comment="of an event, which has no end to wait for"),
    Column("resolved_at", Instant),
    Column("resolution", sa.Text, comment="how it ended; null when it expired or was closed"),
    Column("closed_by", sa.String(100)),
    Index("ix_alert_key", "key"),
    Index("ix_alert_resolved_at", "resolved_at"),
    Index("ix_alert_schedule_id_id", "schedule_id", "id"),
    _partial("uq_alert_open", "key", where="resolved_at IS NULL", unique=True),
)

alert_delivery = _table(
    "alert_delivery",
    Column("id", BigId, primary_key=True),
    Column("key", sa.String(150), nullable=False, unique=True, comment="owed once"),
    Column("alert_id", BigId, ForeignKey("alert.id", ondelete="CASCADE")),
    Column("channel", sa.String(100), nullable=False, comment="its kind and a digest; no secret"),
    Column("event", sa.String(30), nullable=False),
    Column("payload", Json, comment="what happened, when it is not of an alert"),
    Column("status", sa.String(10), nullable=False, server_default=DeliveryStatus.OWED),
    Column("created_at", Instant, nullable=False),
    Column("available_at", Instant, nullable=False),
    Column("attempt", sa.Integer, nullable=False, server_default="0"),
    Column("token", sa.String(32), comment="of the sender that has claimed it"),
    Column("leased_until", Instant),
    Column("ended_at", Instant),
    Column("error", sa.Text),
    _one_of("status", DeliveryStatus),
    Index("ix_alert_delivery_alert_id", "alert_id"),
    Index("ix_alert_delivery_ended_at", "ended_at"),
    _partial("ix_alert_delivery_owed", "channel", "available_at", where="status = 'OWED'"),
)

alert_attempt = _table(
    "alert_attempt",
    Column("id", BigId, primary_key=True),
    Column("delivery_id", BigId, ForeignKey("alert_delivery.id", ondelete="CASCADE")),
    Column("at", Instant, nullable=False),
    Column("took_seconds", sa.Float, nullable=False),
    Column("error", sa.Text, comment="null when it was taken"),
    Index("ix_alert_attempt_delivery_id", "delivery_id"),
)

alert_mute = _table(
    "alert_mute",
    Column("id", BigId, primary_key=True),
    Column("schedule_id", sa.String(50), _of_schedule(ondelete="CASCADE")),
    Column("rule", sa.String(30)),
    Column("reason", sa.Text, nullable=False),
    Column("created_by", sa.String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("ended_at", Instant, comment="when somebody ended it before its time"),
    Column("ended_by", sa.String(100)),
)

user = _table(
    "user",
    Column("id", BigId, primary_key=True),
    Column("name", sa.String(100), nullable=False, unique=True),
    Column("password_hash", sa.String(255), nullable=False),
    Column("role", sa.String(10), nullable=False),
    Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    Column("failed_logins", sa.Integer, nullable=False, server_default="0"),
    Column("login_allowed_at", Instant, comment="before it, a login is refused unread"),
    Column("last_login_at", Instant),
    Column("session_epoch", sa.Integer, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    Column("external_id", sa.String(500), comment="issuer and subject of an identity provider"),
    Index("ix_user_external_id", "external_id", unique=True),
    _one_of("role", Role),
)

api_token = _table(
    "api_token",
    Column("id", BigId, primary_key=True),
    Column("name", sa.String(100), nullable=False),
    Column("token_hash", sa.String(64), nullable=False, unique=True),
    Column("role", sa.String(10), nullable=False),
    Column("created_by", sa.String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Column("scope", sa.String(10), nullable=False, server_default="api"),
    _one_of("role", Role),
    _one_of("scope", TokenScope),
)

user_session = _table(
    "user_session",
    Column("id", BigId, primary_key=True),
    Column("token_hash", sa.String(64), nullable=False, unique=True),
    Column("user_id", BigId, ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    Column("epoch", sa.Integer, nullable=False, comment="the user's, when it began"),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("agent", sa.String(200), nullable=False),
    Index("ix_user_session_user_id", "user_id"),
)

pace = _table(
    "pace",
    Column("id", sa.String(120), primary_key=True, comment="whose: user:…, token:…, login:…"),
    Column("spent_until", sa.Float, nullable=False, comment="seconds since 1970"),
)

# Never pruned: what did not fire in it, the ledger explains by it.
maintenance_window = _table(
    "maintenance_window",
    Column("id", BigId, primary_key=True),
    Column("starts_at", Instant, nullable=False, comment="the first instant that does not fire"),
    Column("ends_at", Instant, comment="instants from then on fire; null: the scheduler stands"),
    Column("reason", sa.Text, nullable=False),
    Column("created_by", sa.String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_by", sa.String(100), comment="who ended it before its time"),
    Column("schedule_id", sa.String(50), _of_schedule(), comment="whose; null: for all"),
    Column("label", sa.String(50), comment="or for all schedules that have it"),
    Column("name", sa.String(100), comment="its name in the definitions; null: made by hand"),
    Column("cron", sa.String(200), comment="when it begins, if it recurs"),
    Column("timezone", sa.String(100), comment="of the cron expression"),
    Column("length_seconds", sa.Float, comment="how long it lasts each time"),
    Column("end_cron", sa.String(200), comment="when it ends, if that is by the clock"),
    # The release before knows neither scope nor recurrence: to it such a window ends as it begins.
    Column("over_at", Instant, comment="stands for ends_at where one of the four is set"),
    Column(
        "run_after",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="what is due in it is held and fires after it; then over_at is set, too",
    ),
    # And those up to 0015 know no labels.
    Column("until_at", Instant, comment="stands for both ends where label is set"),
    sa.CheckConstraint("ends_at >= starts_at", name="order"),
)

calendar = _table(
    "calendar",
    Column("name", sa.String(50), primary_key=True),
    Column("written", Json, nullable=False, comment="as a person gave it; its days follow from it"),
    Column("number", sa.Integer, nullable=False, comment="of its last change"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", sa.String(100), nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", sa.String(100), nullable=False),
    Column("removed_at", Instant, comment="when it was deleted; it can be restored"),
)

setting = _table(
    "setting",
    Column("name", sa.String(100), primary_key=True),
    Column("value", Json, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", sa.String(100), nullable=False),
)

# The hours are UTC; the row of hour 1970-01-01 00:00 sums up all of time, and is never pruned.
run_hour = _table(
    "run_hour",
    Column("hour", Instant, primary_key=True, comment="in which the runs ended"),
    Column("job_name", sa.String(100), primary_key=True),
    *_numbers("succeeded", "failed", "cancelled", "skipped"),
    *_seconds("took_seconds", "lost_seconds", "waited_seconds"),
    *_numbers(*buckets("took", TOOK_BOUNDS), *buckets("waited", WAITED_BOUNDS)),
)

# Not a foreign key: what was run without a schedule is counted under the empty name.
occurrence_hour = _table(
    "occurrence_hour",
    Column("hour", Instant, primary_key=True, comment="of the nominal instants"),
    Column("schedule_id", sa.String(50), primary_key=True),
    *_numbers(*(outcome.lower() for outcome in Outcome if outcome not in LIVE_OUTCOMES)),
    *_seconds("took_seconds", "late_seconds"),
    *_numbers(*buckets("took", TOOK_BOUNDS), *buckets("late", LATE_BOUNDS)),
)
