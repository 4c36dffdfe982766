"""Schedules with versions and ledger, runs with logs, workers, ticks, people and alerts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.CheckConstraint("role IN ('ADMIN', 'VIEWER')", name=op.f("ck_api_token_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column(
            "action", sa.String(length=50), nullable=False, comment="schedule.enable, run.cancel …"
        ),
        sa.Column(
            "subject", sa.String(length=100), nullable=False, comment="id of what was changed"
        ),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_subject_id", "audit_entry", ["subject", "id"], unique=False)
    op.create_table(
        "definition_set",
        sa.Column(
            "generation", BIG_ID, nullable=False, comment="rises with each new set of definitions"
        ),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("release", sa.String(length=100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("generation", name=op.f("pk_definition_set")),
    )
    op.create_table(
        "job_schedule",
        sa.Column("id", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("locked_at", INSTANT, nullable=True),
        sa.Column("locked_by", sa.String(length=64), nullable=True),
        sa.Column(
            "lock_token", sa.BigInteger(), server_default="0", nullable=False, comment="only rises"
        ),
        sa.Column(
            "decided_to", INSTANT, nullable=False, comment="nothing up to it is decided again"
        ),
        sa.Column(
            "asked_for",
            INSTANT,
            nullable=True,
            comment="a person asked for it: it fires whatever its age",
        ),
        sa.Column("retry_after", INSTANT, nullable=True, comment="not claimed before"),
        sa.Column("fire_errors", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_run_at", INSTANT, nullable=True),
        sa.Column("last_run_id", BIG_ID, nullable=True, comment="first run of the last firing"),
        sa.Column("last_occurrence_id", BIG_ID, nullable=True),
        sa.Column("next_run_at", INSTANT, nullable=True),
        sa.Column("run_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("consecutive_failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("source", sa.String(length=10), server_default="CODE", nullable=False),
        sa.Column("version_id", BIG_ID, nullable=True),
        sa.Column("generation", BIG_ID, server_default="0", nullable=False),
        sa.Column("state", sa.String(length=10), server_default="ACTIVE", nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("state_by", sa.String(length=100), nullable=True),
        sa.Column("state_at", INSTANT, nullable=True),
        sa.Column("state_until", INSTANT, nullable=True, comment="when a pause ends by itself"),
        sa.Column("enabled_at", INSTANT, nullable=True, comment="when `enabled` last changed"),
        sa.Column("enabled_by", sa.String(length=100), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("source IN ('CODE', 'CUSTOM')", name=op.f("ck_job_schedule_source")),
        sa.CheckConstraint(
            "state IN ('ACTIVE', 'PAUSED', 'REMOVED', 'ERROR')", name=op.f("ck_job_schedule_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_schedule")),
    )
    op.create_index(
        "ix_job_schedule_due",
        "job_schedule",
        ["next_run_at", "id"],
        unique=False,
        postgresql_where=sa.text("enabled AND state = 'ACTIVE'"),
        sqlite_where=sa.text("enabled AND state = 'ACTIVE'"),
    )
    op.create_index(
        "ix_job_schedule_locked",
        "job_schedule",
        ["locked_by"],
        unique=False,
        postgresql_where=sa.text("locked_by IS NOT NULL"),
        sqlite_where=sa.text("locked_by IS NOT NULL"),
    )
    op.create_index(
        "ix_job_schedule_paused",
        "job_schedule",
        ["state_until"],
        unique=False,
        postgresql_where=sa.text("state = 'PAUSED'"),
        sqlite_where=sa.text("state = 'PAUSED'"),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("updated_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "tick_log",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("now", INSTANT, nullable=False, comment="the instant that the tick decided by"),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("took_seconds", sa.Float(), nullable=False),
        sa.Column("due", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fired", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_fired", sa.Integer(), server_default="0", nullable=False),
        sa.Column("runs", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rescued", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "late_seconds", sa.Float(), nullable=True, comment="of the latest firing in this tick"
        ),
        sa.Column("more", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tick_log")),
    )
    op.create_index("ix_tick_log_started_at", "tick_log", ["started_at"], unique=False)
    op.create_table(
        "user",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("failed_logins", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "login_allowed_at",
            INSTANT,
            nullable=True,
            comment="before it, a login is refused unread",
        ),
        sa.Column("last_login_at", INSTANT, nullable=True),
        sa.Column("session_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("role IN ('ADMIN', 'VIEWER')", name=op.f("ck_user_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("name", name=op.f("uq_user_name")),
    )
    op.create_table(
        "worker_instance",
        sa.Column(
            "id", sa.String(length=32), nullable=False, comment="random; never the host's name"
        ),
        sa.Column("worker_type", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("hostname", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("last_heartbeat_at", INSTANT, nullable=False),
        sa.Column("stopped_at", INSTANT, nullable=True),
        sa.Column("abilities", JSON, nullable=False, comment="queues, processes, what it can do"),
        sa.Column("activity", sa.String(length=200), nullable=True, comment="what it is doing"),
        sa.CheckConstraint(
            "status IN ('RUNNING', 'DRAINING', 'STOPPED', 'DEAD')",
            name=op.f("ck_worker_instance_status"),
        ),
        sa.CheckConstraint(
            "worker_type IN ('job_worker', 'schedule_daemon', 'http_trigger')",
            name=op.f("ck_worker_instance_worker_type"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_instance")),
    )
    op.create_index(
        "ix_worker_instance_alive",
        "worker_instance",
        ["last_heartbeat_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('RUNNING', 'DRAINING')"),
        sqlite_where=sa.text("status IN ('RUNNING', 'DRAINING')"),
    )
    op.create_table(
        "schedule_version",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("schedule_id", sa.String(length=50), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1, 2, 3 … within the schedule"),
        sa.Column("definition", JSON, nullable=False),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="of what changes behaviour"
        ),
        sa.Column("rule", sa.Text(), nullable=False, comment="JSON: when it fires"),
        sa.Column(
            "rule_key", sa.String(length=16), nullable=False, comment="equal rules share plans"
        ),
        sa.Column(
            "rule_format",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="a release that is older than the format leaves the schedule alone",
        ),
        sa.Column("limited", sa.Boolean(), nullable=False, comment="the rule has a limit of runs"),
        sa.Column("overlap", sa.String(length=10), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column(
            "target", sa.Text(), nullable=False, comment="JSON: the jobs and their dependencies"
        ),
        sa.Column("target_key", sa.String(length=16), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["job_schedule.id"],
            name=op.f("fk_schedule_version_schedule_id_job_schedule"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_version")),
        sa.UniqueConstraint(
            "schedule_id", "number", name=op.f("uq_schedule_version_schedule_id_number")
        ),
    )
    op.create_table(
        "occurrence",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("schedule_id", sa.String(length=50), nullable=True),
        sa.Column("version_id", BIG_ID, nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column(
            "scheduled_for",
            INSTANT,
            nullable=True,
            comment="the nominal instant; null when nothing was due",
        ),
        sa.Column(
            "scheduled_until",
            INSTANT,
            nullable=True,
            comment="the last instant of a range not fired",
        ),
        sa.Column(
            "count",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="instants in this row",
        ),
        sa.Column(
            "key",
            sa.String(length=100),
            nullable=True,
            comment="identity of what is not due by time",
        ),
        sa.Column(
            "title", sa.String(length=200), nullable=True, comment="what a manual firing was of"
        ),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "blocked_by_id",
            BIG_ID,
            nullable=True,
            comment="the occurrence that an overlap policy waited for",
        ),
        sa.Column("late_seconds", sa.Float(), nullable=True),
        sa.Column(
            "tick_id",
            sa.String(length=32),
            nullable=False,
            comment="the tick or action that wrote it",
        ),
        sa.Column("triggered_by", sa.String(length=100), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("first_started_at", INSTANT, nullable=True),
        sa.Column("last_finished_at", INSTANT, nullable=True),
        sa.Column("runs", sa.Integer(), server_default="0", nullable=False),
        sa.Column("succeeded", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skipped", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind IN ('CRON', 'INTERVAL', 'ONCE', 'MANUAL', 'EVENT', 'BACKFILL')",
            name=op.f("ck_occurrence_kind"),
        ),
        sa.CheckConstraint(
            "outcome IN ('QUEUED', 'RUNNING', 'SUCCESS', 'FAILED', 'PARTIAL', 'CANCELLED', 'MISSED', 'COALESCED', 'SKIPPED_OVERLAP', 'SUPPRESSED', 'BLACKOUT', 'FIRE_FAILED', 'HELD')",
            name=op.f("ck_occurrence_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["job_schedule.id"],
            name=op.f("fk_occurrence_schedule_id_job_schedule"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["schedule_version.id"],
            name=op.f("fk_occurrence_version_id_schedule_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrence")),
        sa.UniqueConstraint("key", name=op.f("uq_occurrence_key")),
        sa.UniqueConstraint(
            "schedule_id", "scheduled_for", name=op.f("uq_occurrence_schedule_id_scheduled_for")
        ),
    )
    op.create_index(
        "ix_occurrence_live",
        "occurrence",
        ["schedule_id"],
        unique=False,
        postgresql_where=sa.text("outcome IN ('QUEUED', 'RUNNING')"),
        sqlite_where=sa.text("outcome IN ('QUEUED', 'RUNNING')"),
    )
    op.create_index(
        "ix_occurrence_schedule_id_id", "occurrence", ["schedule_id", "id"], unique=False
    )
    op.create_index("ix_occurrence_tick_id", "occurrence", ["tick_id"], unique=False)
    op.create_table(
        "job_run",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("occurrence_id", BIG_ID, nullable=False),
        sa.Column("schedule_id", sa.String(length=50), nullable=True),
        sa.Column("scheduled_for", INSTANT, nullable=True),
        sa.Column("job_name", sa.String(length=100), nullable=False),
        sa.Column("job_group", sa.String(length=50), nullable=False),
        sa.Column("status", sa.String(length=10), server_default="QUEUED", nullable=False),
        sa.Column("trigger", sa.String(length=10), nullable=False),
        sa.Column("triggered_by", sa.String(length=100), nullable=True),
        sa.Column("queue", sa.String(length=50), server_default="default", nullable=False),
        sa.Column(
            "priority", sa.Integer(), server_default="0", nullable=False, comment="high runs first"
        ),
        sa.Column("params", JSON, nullable=False),
        sa.Column("run_metadata", JSON, nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("idempotent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("rescues", sa.Integer(), server_default="0", nullable=False),
        sa.Column("available_at", INSTANT, nullable=False),
        sa.Column("worker_id", sa.String(length=32), nullable=True),
        sa.Column("fencing_token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("deadline_at", INSTANT, nullable=True),
        sa.Column("cancel_requested_at", INSTANT, nullable=True),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("progress", sa.Float(), nullable=True),
        sa.Column("progress_text", sa.String(length=200), nullable=True),
        sa.Column("result", sa.Text(), nullable=True, comment="JSON, bounded"),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="why it was skipped, cancelled or put back"
        ),
        sa.Column("error_type", sa.String(length=200), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_traceback", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('QUEUED', 'RUNNING', 'SUCCESS', 'FAILED', 'CANCELLED', 'SKIPPED')",
            name=op.f("ck_job_run_status"),
        ),
        sa.CheckConstraint(
            "trigger IN ('CRON', 'EVENT', 'MANUAL')", name=op.f("ck_job_run_trigger")
        ),
        sa.ForeignKeyConstraint(
            ["occurrence_id"],
            ["occurrence.id"],
            name=op.f("fk_job_run_occurrence_id_occurrence"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["job_schedule.id"],
            name=op.f("fk_job_run_schedule_id_job_schedule"),
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"],
            ["worker_instance.id"],
            name=op.f("fk_job_run_worker_id_worker_instance"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint(
            "schedule_id",
            "scheduled_for",
            "job_name",
            name=op.f("uq_job_run_schedule_id_scheduled_for_job_name"),
        ),
    )
    op.create_index(
        "ix_job_run_claimable",
        "job_run",
        [sa.literal_column("priority DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("status = 'QUEUED'"),
        sqlite_where=sa.text("status = 'QUEUED'"),
    )
    op.create_index(
        "ix_job_run_failed",
        "job_run",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status = 'FAILED'"),
        sqlite_where=sa.text("status = 'FAILED'"),
    )
    op.create_index("ix_job_run_job_name_id", "job_run", ["job_name", "id"], unique=False)
    op.create_index("ix_job_run_occurrence_id", "job_run", ["occurrence_id"], unique=False)
    op.create_index(
        "ix_job_run_running",
        "job_run",
        ["worker_id"],
        unique=False,
        postgresql_where=sa.text("status = 'RUNNING'"),
        sqlite_where=sa.text("status = 'RUNNING'"),
    )
    op.create_index("ix_job_run_schedule_id_id", "job_run", ["schedule_id", "id"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("rule", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("schedule_id", sa.String(length=50), nullable=True),
        sa.Column("occurrence_id", BIG_ID, nullable=True),
        sa.Column("run_id", BIG_ID, nullable=True),
        sa.Column("resolved_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["occurrence_id"],
            ["occurrence.id"],
            name=op.f("fk_alert_occurrence_id_occurrence"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_run.id"], name=op.f("fk_alert_run_id_job_run"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["job_schedule.id"],
            name=op.f("fk_alert_schedule_id_job_schedule"),
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_schedule_id_id", "alert", ["schedule_id", "id"], unique=False)
    op.create_table(
        "job_log",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fields", JSON, nullable=True),
        sa.CheckConstraint(
            "level IN ('debug', 'info', 'warning', 'error', 'milestone')",
            name=op.f("ck_job_log_level"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_run.id"], name=op.f("fk_job_log_run_id_job_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_log")),
    )
    op.create_index("ix_job_log_run_id_id", "job_log", ["run_id", "id"], unique=False)
    op.create_table(
        "job_run_dependency",
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("depends_on_id", BIG_ID, nullable=False),
        sa.Column("tolerant", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tolerated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["depends_on_id"],
            ["job_run.id"],
            name=op.f("fk_job_run_dependency_depends_on_id_job_run"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["job_run.id"],
            name=op.f("fk_job_run_dependency_run_id_job_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "depends_on_id", name=op.f("pk_job_run_dependency")),
    )
    op.create_index(
        "ix_job_run_dependency_depends_on_id", "job_run_dependency", ["depends_on_id"], unique=False
    )
    op.create_table(
        "alert_delivery",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("alert_id", BIG_ID, nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("available_at", INSTANT, nullable=False),
        sa.Column("delivered_at", INSTANT, nullable=True),
        sa.Column("gave_up_at", INSTANT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["alert.id"],
            name=op.f("fk_alert_delivery_alert_id_alert"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_delivery")),
        sa.UniqueConstraint("alert_id", "channel", name=op.f("uq_alert_delivery_alert_id_channel")),
    )
    op.create_index(
        "ix_alert_delivery_owed",
        "alert_delivery",
        ["available_at"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL AND gave_up_at IS NULL"),
        sqlite_where=sa.text("delivered_at IS NULL AND gave_up_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("alert_delivery")
    op.drop_table("job_run_dependency")
    op.drop_table("job_log")
    op.drop_table("alert")
    op.drop_table("job_run")
    op.drop_table("occurrence")
    op.drop_table("schedule_version")
    op.drop_table("worker_instance")
    op.drop_table("user")
    op.drop_table("tick_log")
    op.drop_table("setting")
    op.drop_table("job_schedule")
    op.drop_table("definition_set")
    op.drop_table("audit_entry")
    op.drop_table("api_token")
