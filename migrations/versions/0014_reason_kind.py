"""Ledger rows say what kept an instant from firing: its calendar, a window, the stop."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "what kept it from firing, beside its outcome"
    op.add_column("occurrence", sa.Column("reason_kind", sa.String(10), comment=comment))


def downgrade() -> None:
    op.drop_column("occurrence", "reason_kind")
