"""Windows for one schedule, and windows that recur."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = "maintenance_window"
SHRINKS = (TABLE,)
OF_SCHEDULE = "fk_maintenance_window_schedule_id_job_schedule"


def upgrade() -> None:
    whose = sa.Column("schedule_id", sa.String(50), comment="whose; null: for all")
    columns = (
        sa.Column("cron", sa.String(200), comment="when it begins, if it recurs"),
        sa.Column("timezone", sa.String(100), comment="of the cron expression"),
        sa.Column("length_seconds", sa.Float(), comment="how long it lasts each time"),
        sa.Column(
            "over_at",
            sa.DateTime(timezone=True),
            comment="stands for ends_at where one of the four is set",
        ),
    )
    # Few rows: made anew on SQLite, which can't add a foreign key to a table that is there.
    with op.batch_alter_table(TABLE) as batch:
        for column in (whose, *columns):
            batch.add_column(column)
        batch.create_foreign_key(
            OF_SCHEDULE, "job_schedule", ["schedule_id"], ["id"], onupdate="CASCADE"
        )


def downgrade() -> None:
    # Without scope and recurrence, they would keep everything from firing.
    window = sa.table(TABLE, sa.column("over_at"))
    op.execute(sa.delete(window).where(window.c.over_at.is_not(None)))
    with op.batch_alter_table(TABLE) as batch:
        batch.drop_constraint(OF_SCHEDULE, type_="foreignkey")
        for name in ("over_at", "length_seconds", "timezone", "cron", "schedule_id"):
            batch.drop_column(name)
