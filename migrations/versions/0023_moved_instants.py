"""Instants that a calendar moved remember where the rule itself has them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    own = "the rule's own instant, where a calendar moved it"
    op.add_column("occurrence", sa.Column("nominal_for", sa.DateTime(timezone=True), comment=own))


def downgrade() -> None:
    op.drop_column("occurrence", "nominal_for")
