"""Backfills that ticks work off, a few instants at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLE = "backfill"
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column(
            "schedule_id",
            sa.String(50),
            sa.ForeignKey("job_schedule.id", onupdate="CASCADE"),
            nullable=False,
        ),
        sa.Column("starts_at", INSTANT, nullable=False, comment="the first instant that may run"),
        sa.Column("ends_at", INSTANT, nullable=False, comment="the last instant that may run"),
        sa.Column(
            "decided_to", INSTANT, nullable=False, comment="up to it all is queued or passed over"
        ),
        sa.Column("overlap", sa.String(10), nullable=False),
        sa.Column("max_parallel", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False, server_default="RUNNING"),
        sa.Column("state_at", INSTANT, nullable=False),
        sa.Column("state_by", sa.String(100), nullable=False),
        sa.Column(
            "total", sa.Integer(), nullable=False, comment="instants that had not run when it began"
        ),
        sa.Column("made", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("passed_over", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("paused_seconds", sa.Float(), nullable=False, server_default="0"),
        sa.Column("reason", sa.Text()),
        sa.Column("request_key", sa.String(64), comment="of the request that began it"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.CheckConstraint(
            "state IN ('RUNNING', 'PAUSED', 'DONE', 'CANCELLED')", name="ck_backfill_state"
        ),
        sa.CheckConstraint("overlap IN ('WAIT', 'ALLOW')", name="ck_backfill_overlap"),
        sa.UniqueConstraint("request_key", name="uq_backfill_request_key"),
    )
    for name, columns, condition, unique in (
        ("ix_backfill_running", ["id"], "state = 'RUNNING'", False),
        ("uq_backfill_unfinished", ["schedule_id"], "state IN ('RUNNING', 'PAUSED')", True),
    ):
        where = sa.text(condition)
        op.create_index(
            name, TABLE, columns, unique=unique, postgresql_where=where, sqlite_where=where
        )


def downgrade() -> None:
    # What they have queued stays in the ledger as what people ran.
    op.drop_table(TABLE)
