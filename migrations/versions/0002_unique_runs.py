"""What two unfinished runs of a job may not share."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNFINISHED = "unique_key IS NOT NULL AND status IN ('QUEUED', 'RUNNING')"


def upgrade() -> None:
    comment = "shared by no two unfinished runs of the job"
    op.add_column("job_run", sa.Column("unique_key", sa.String(64), comment=comment))
    op.create_index(
        "uq_job_run_unfinished",
        "job_run",
        ["job_name", "unique_key"],
        unique=True,
        postgresql_where=sa.text(UNFINISHED),
        sqlite_where=sa.text(UNFINISHED),
    )


def downgrade() -> None:
    op.drop_index("uq_job_run_unfinished", table_name="job_run")
    op.drop_column("job_run", "unique_key")
