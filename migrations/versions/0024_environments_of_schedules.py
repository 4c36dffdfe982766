"""A schedule remembers in which environments it exists, and what differs there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    comment = "where it exists, and what differs; null: everywhere"
    op.add_column("job_schedule", sa.Column("environments", json, comment=comment))


def downgrade() -> None:
    op.drop_column("job_schedule", "environments")
