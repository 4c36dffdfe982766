"""The request that made a schedule by hand, so that its repetition makes no second one."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "job_schedule",
        sa.Column("request_key", sa.String(40), comment="of the request that made it by hand"),
    )


def downgrade() -> None:
    op.drop_column("job_schedule", "request_key")
