"""Schedules remember what they were called before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ids = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    comment = "what it was called before, the first name first"
    op.add_column("job_schedule", sa.Column("former_ids", ids, comment=comment))


def downgrade() -> None:
    with op.batch_alter_table("job_schedule") as batch:
        batch.drop_column("former_ids")
