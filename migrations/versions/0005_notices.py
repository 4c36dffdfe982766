"""Alerts, the messages that tell of them, each attempt to deliver one, and what is muted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
# No release has ever written to what these two replace.
SHRINKS = ("alert", "alert_delivery")
UNJUDGED = "NOT judged AND outcome NOT IN ('QUEUED', 'RUNNING')"


def upgrade() -> None:
    _drop_what_was_never_used()
    op.add_column(
        "occurrence",
        sa.Column(
            "judged", sa.Boolean(), server_default=sa.false(), nullable=False, comment="by alerts"
        ),
    )
    # What ended before this release is history: nobody wants to be told of it now.
    op.execute("UPDATE occurrence SET judged = true")
    _partial_index("ix_occurrence_unjudged", "occurrence", ["id"], UNJUDGED)
    op.add_column(
        "job_schedule",
        sa.Column("alerts", JSON, comment="its alert rules; null: those that every schedule has"),
    )
    _create_alerts()
    _create_deliveries()
    _create_mutes()


def downgrade() -> None:
    op.drop_table("alert_mute")
    op.drop_table("alert_attempt")
    op.drop_table("alert_delivery")
    op.drop_table("alert")
    op.drop_column("job_schedule", "alerts")
    op.drop_index("ix_occurrence_unjudged", "occurrence")
    op.drop_column("occurrence", "judged")
    _create_what_was_never_used()


def _create_alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column(
            "key", sa.String(150), nullable=False, comment="what is wrong; one is open at a time"
        ),
        sa.Column("rule", sa.String(30), nullable=False),
        sa.Column("schedule_id", sa.String(50)),
        sa.Column("occurrence_id", BIG_ID),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, comment="of an event, which has no end to wait for"),
        sa.Column("resolved_at", INSTANT),
        sa.Column(
            "resolution", sa.Text(), comment="how it ended; null when it expired or was closed"
        ),
        sa.Column("closed_by", sa.String(100)),
        _of_schedule("alert", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_key", "alert", ["key"])
    op.create_index("ix_alert_resolved_at", "alert", ["resolved_at"])
    op.create_index("ix_alert_schedule_id_id", "alert", ["schedule_id", "id"])
    _partial_index("uq_alert_open", "alert", ["key"], "resolved_at IS NULL", unique=True)


def _create_deliveries() -> None:
    op.create_table(
        "alert_delivery",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(150), nullable=False, comment="owed once"),
        sa.Column("alert_id", BIG_ID),
        sa.Column(
            "channel", sa.String(100), nullable=False, comment="its kind and a digest; no secret"
        ),
        sa.Column("event", sa.String(30), nullable=False),
        sa.Column("payload", JSON, comment="what happened, when it is not of an alert"),
        sa.Column("status", sa.String(10), server_default="OWED", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("available_at", INSTANT, nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.String(32), comment="of the sender that has claimed it"),
        sa.Column("leased_until", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint(
            "status IN ('OWED', 'DELIVERED', 'GAVE_UP', 'DROPPED')",
            name=op.f("ck_alert_delivery_status"),
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["alert.id"],
            name=op.f("fk_alert_delivery_alert_id_alert"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_alert_delivery_key")),
    )
    op.create_index("ix_alert_delivery_alert_id", "alert_delivery", ["alert_id"])
    op.create_index("ix_alert_delivery_ended_at", "alert_delivery", ["ended_at"])
    _partial_index(
        "ix_alert_delivery_owed", "alert_delivery", ["channel", "available_at"], "status = 'OWED'"
    )
    op.create_table(
        "alert_attempt",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("delivery_id", BIG_ID),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("took_seconds", sa.Float(), nullable=False),
        sa.Column("error", sa.Text(), comment="null when it was taken"),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["alert_delivery.id"],
            name=op.f("fk_alert_attempt_delivery_id_alert_delivery"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_attempt")),
    )
    op.create_index("ix_alert_attempt_delivery_id", "alert_attempt", ["delivery_id"])


def _create_mutes() -> None:
    op.create_table(
        "alert_mute",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("schedule_id", sa.String(50)),
        sa.Column("rule", sa.String(30)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, comment="when somebody ended it before its time"),
        sa.Column("ended_by", sa.String(100)),
        _of_schedule("alert_mute", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_mute")),
    )


def _of_schedule(table: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["schedule_id"],
        ["job_schedule.id"],
        name=op.f(f"fk_{table}_schedule_id_job_schedule"),
        onupdate="CASCADE",
        ondelete=ondelete,
    )


def _partial_index(
    name: str, table: str, columns: list[str], where: str, unique: bool = False
) -> None:
    text = sa.text(where)
    op.create_index(name, table, columns, unique=unique, postgresql_where=text, sqlite_where=text)


def _drop_what_was_never_used() -> None:
    op.drop_table("alert_delivery")
    op.drop_table("alert")


def _create_what_was_never_used() -> None:
    op.create_table(
        "alert",
        sa.Column("id", BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_table(
        "alert_delivery",
        sa.Column("id", BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_delivery")),
    )
