"""Calendars that people make by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    json = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
    written = "as a person gave it; its days follow from it"
    op.create_table(
        "calendar",
        sa.Column("name", sa.String(50), primary_key=True),
        sa.Column("written", json, nullable=False, comment=written),
        sa.Column("number", sa.Integer(), nullable=False, comment="of its last change"),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.Column("updated_by", sa.String(100), nullable=False),
        sa.Column("removed_at", instant, comment="when it was deleted; it can be restored"),
    )


def downgrade() -> None:
    op.drop_table("calendar")
