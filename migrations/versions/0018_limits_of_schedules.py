"""Runs that carry the limits of their schedule: its timeout, and the deadline of their firing."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEX = "ix_job_run_bounded"
BOUNDED = sa.text("firing_deadline_at IS NOT NULL AND status IN ('QUEUED', 'RUNNING')")


def upgrade() -> None:
    timeout = sa.Column("timeout_seconds", sa.Float(), comment="its schedule's; null: its job's")
    op.add_column("job_run", timeout)
    deadline = sa.Column(
        "firing_deadline_at",
        sa.DateTime(timezone=True),
        comment="when its whole firing has to have ended",
    )
    op.add_column("job_run", deadline)
    where = {"postgresql_where": BOUNDED, "sqlite_where": BOUNDED}
    op.create_index(INDEX, "job_run", ["firing_deadline_at"], **where)


def downgrade() -> None:
    op.drop_index(INDEX, "job_run")
    op.drop_column("job_run", "firing_deadline_at")
    op.drop_column("job_run", "timeout_seconds")
