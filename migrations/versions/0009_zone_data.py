"""Versions remember the time zone data that they are read with."""

import sqlalchemy as sa
from alembic import op

from tick.store.sql import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNREAD, IN_FORCE = sa.text("zone_data_id IS NULL"), sa.text("replaced_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "zone_data",
        sa.Column("id", BIG, nullable=False),
        sa.Column("zone", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(16), nullable=False, comment="of what its clocks show"),
        sa.Column("version", sa.String(20), comment="the IANA release; null where nothing told it"),
        sa.Column("file", sa.LargeBinary(), nullable=False, comment="TZif"),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("replaced_at", UtcDateTime(), comment="when no schedule went by it any more"),
        sa.Column("taken_back", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_data")),
    )
    op.create_index(
        "uq_zone_data_in_force",
        "zone_data",
        ["zone", "digest"],
        unique=True,
        postgresql_where=IN_FORCE,
        sqlite_where=IN_FORCE,
    )
    comment = "the zone data it is read with; null: not looked at"
    op.add_column("schedule_version", sa.Column("zone_data_id", BIG, comment=comment))
    op.create_index(
        "ix_schedule_version_unread",
        "schedule_version",
        ["id"],
        postgresql_where=UNREAD,
        sqlite_where=UNREAD,
    )


def downgrade() -> None:
    op.drop_index("ix_schedule_version_unread", table_name="schedule_version")
    with op.batch_alter_table("schedule_version") as batch:
        batch.drop_column("zone_data_id")
    op.drop_index("uq_zone_data_in_force", table_name="zone_data")
    op.drop_table("zone_data")
