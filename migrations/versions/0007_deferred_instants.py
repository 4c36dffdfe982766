"""A schedule remembers which due instants a tick put off, and why, so that the ledger can say it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "a tick saw the due instants up to it, and put them off"
    instant = sa.DateTime(timezone=True)
    op.add_column("job_schedule", sa.Column("deferred_to", instant, comment=comment))
    comment = "the outcome of those that are too late then"
    op.add_column("job_schedule", sa.Column("deferred_as", sa.String(20), comment=comment))
    op.add_column("job_schedule", sa.Column("deferred_reason", sa.Text))


def downgrade() -> None:
    for column in ("deferred_reason", "deferred_as", "deferred_to"):
        op.drop_column("job_schedule", column)
