"""Windows in which nothing fires."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "maintenance_window",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column(
            "starts_at", INSTANT, nullable=False, comment="the first instant that does not fire"
        ),
        sa.Column(
            "ends_at",
            INSTANT,
            nullable=True,
            comment="instants from then on fire; null: the scheduler stands",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column(
            "ended_by", sa.String(length=100), nullable=True, comment="who ended it before its time"
        ),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_maintenance_window_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_window")),
    )


def downgrade() -> None:
    op.drop_table("maintenance_window")
