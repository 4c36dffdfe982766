"""Windows for schedules with a label, windows that end by the clock, and windows in code."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WINDOW = "maintenance_window"
SHRINKS = (WINDOW,)


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    for column in (
        sa.Column("label", sa.String(50), comment="or for all schedules that have it"),
        sa.Column(
            "name", sa.String(100), comment="its name in the definitions; null: made by hand"
        ),
        sa.Column("end_cron", sa.String(200), comment="when it ends, if that is by the clock"),
        sa.Column("until_at", instant, comment="stands for both ends where label is set"),
    ):
        op.add_column(WINDOW, column)


def downgrade() -> None:
    # Without its label, it would keep everything from firing.
    window = sa.table(WINDOW, sa.column("label", sa.String))
    op.execute(sa.delete(window).where(window.c.label.is_not(None)))
    for name in ("until_at", "end_cron", "name", "label"):
        op.drop_column(WINDOW, name)
