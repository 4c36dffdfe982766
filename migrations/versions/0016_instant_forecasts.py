"""When each schedule fires by the calculator in use, for the day when a newer one comes."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "instant_forecast",
        sa.Column(
            "version_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("schedule_version.id"),
            primary_key=True,
        ),
        sa.Column(
            "calculator", sa.String(100), nullable=False, comment="what worked the instants out"
        ),
        sa.Column("since", instant, nullable=False, comment="the instants later than it are known"),
        sa.Column("until", instant, nullable=False, comment="and none later than it"),
        sa.Column("renew_at", instant, nullable=False),
        sa.Column(
            "instants", sa.LargeBinary(), nullable=False, comment="steps in microseconds, zlib"
        ),
    )


def downgrade() -> None:
    op.drop_table("instant_forecast")
