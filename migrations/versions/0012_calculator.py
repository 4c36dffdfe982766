"""Stored next instants remember which croniter, and which rule of ours, worked them out."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from tick.store.sql import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NAME = "calculator"
SHRINKS = ("setting",)


def upgrade() -> None:
    setting = sa.table(
        "setting",
        sa.column("name"),
        sa.column("value", sa.JSON),
        sa.column("updated_at", UtcDateTime()),
        sa.column("updated_by"),
    )
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    row = {"name": NAME, "value": {}, "updated_at": long_ago, "updated_by": "system"}
    op.bulk_insert(setting, [row])


def downgrade() -> None:
    setting = sa.table("setting", sa.column("name"))
    op.execute(sa.delete(setting).where(setting.c.name == NAME))
